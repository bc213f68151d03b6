// What is published, as a program has it that imports it from node_modules. Needs the build.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { goldenGraph } from '../golden-cases.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const root = path.resolve('.');
const GRAPH = 'graphs/mnist.json';
const TEXT = goldenGraph('tiny-1d');

/** A strict project of `use.ts` with this package in its node_modules. */
function install(more: object): void {
  fs.mkdirSync(at('node_modules'));
  fs.symlinkSync(root, at('node_modules', 'unetc'));
  fs.writeFileSync(at('package.json'), '{ "type": "module" }');
  const compilerOptions = { strict: true, module: 'nodenext', target: 'es2022', noEmit: true, ...more };
  fs.writeFileSync(at('tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
}

function check(): void {
  execFileSync(path.join(root, 'node_modules/.bin/tsc'), ['-p', at()], { encoding: 'utf8', stdio: 'pipe' });
}

test('what is published type-checks for a program that imports it, and runs', () => {
  install({ types: [] });
  const program = `
    import { compile, load, GraphError, type ModelOutputs, type Tensor } from 'unetc';
    const { manifest, warnings } = compile(${JSON.stringify(path.resolve(GRAPH))}, { batch: 1 });
    const model = await load(${TEXT}, { weights: 'hash:1', reference: true });
    const x: Tensor = { shape: [1, 2, 64], data: new Float32Array(128) };
    const { output }: ModelOutputs = await model.run({ x, timesteps: [5] });
    if (new Error() instanceof GraphError) throw new Error();
    const told: [number, number, readonly number[]] = [manifest.batch, warnings.length, output.shape];
    console.log(JSON.stringify(told));
    await model.close();
  `;
  fs.writeFileSync(at('use.ts'), program);
  check();
  fs.writeFileSync(
    at('use.js'),
    program.replace(/, type \w+|: (?:Tensor|ModelOutputs|\[number.*?\]\])(?= =)/g, ''),
  );
  const { stdout } = run(at('use.js'));
  expect(stdout).toBe('[1,0,[1,2,64]]\n');
});

function run(file: string): { stdout: string } {
  return {
    stdout: execFileSync(process.execPath, [file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  };
}

test('a page that imports the runtime type-checks by the types of the web alone', () => {
  install({ types: [], lib: ['es2023', 'dom'] });
  fs.writeFileSync(
    at('use.ts'),
    `
    import { createProgram, fetchBundle, fetchWeights, matchWeights, openWebDevice, type Tensor } from 'unetc/runtime';
    const bundle = await fetchBundle('models/mnist');
    const weights = matchWeights(bundle.manifest.parameters, await fetchWeights('models/mnist.safetensors'));
    const device = await openWebDevice({ requires: bundle.manifest.requires });
    const model = await createProgram(bundle, weights.read, device);
    const x: Tensor = { shape: [1, 1, 28, 28], data: new Float32Array(784) };
    const output: Tensor | undefined = (await model.run({ x, timesteps: [5], y: [3] })).get('output');
    console.log(output?.shape);
  `,
  );
  check();
});

test('gradients and bounds have the types of what they give', () => {
  install({ types: [] });
  const program = `
    import { evaluate, gradients, type Bounds, type Gradients, type Tensor, type TrainingBatch } from 'unetc';
    const image: Tensor = { shape: [1, 2, 64], data: new Float32Array(128) };
    const batch: TrainingBatch = { x_start: image, noise: image, timesteps: [3], weights: [1] };
    const options = { weights: 'hash:1', reference: true } as const;
    const found: Gradients = await gradients(${TEXT}, batch, options);
    const loss: Float32Array | undefined = found.losses.loss;
    const one: Tensor | undefined = found.gradients.get('out.2.weight');
    // @ts-expect-error size and batch are those of x_start
    const wrong = () => gradients(${TEXT}, batch, { ...options, batch: 2 });
    const evaluated = () => evaluate(${TEXT}, { ...options, data: 'd.npz', steps: '10', shard: { index: 0, count: 2 } });
    const bounds = async (): Promise<Bounds> => (await evaluated()).bounds;
    console.log(loss?.length, one?.shape.length, typeof wrong, typeof bounds);
  `;
  fs.writeFileSync(at('use.ts'), program);
  check();
});
