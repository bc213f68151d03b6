// The Node API has what the command line has: validate, stats, diff, infer, check, inputs, encode.

import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { check, compile, diff, infer, inputs, load, stats, validate } from '../../engine/api.ts';
import { INITIAL_STEP, normalNoise } from '../../runtime/sampler/noise.ts';
import { readTensors } from '../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { goldenGraph } from '../golden-cases.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();
const MNIST = 'graphs/mnist.json';
const WEIGHTS = 'graphs/mnist.safetensors';
const TEXT = goldenGraph('tiny-1d');
const TINY = JSON.parse(TEXT) as Record<string, unknown>;

describe('validate', () => {
  test('says what a graph is, and its warnings', () => {
    for (const graph of [
      MNIST,
      fs.readFileSync(MNIST, 'utf8'),
      JSON.parse(fs.readFileSync(MNIST, 'utf8')) as object,
    ])
      expect(validate(graph)).toMatchObject({
        valid: true,
        name: 'mnist',
        image_size: [28, 28],
        diagnostics: [],
      });
    expect(validate(MNIST, { size: 32 })).toMatchObject({ valid: true, image_size: [32, 32] });
  });

  test('gives every fault back', () => {
    const found = validate({ ...TINY, image_size: 63, colour: 'red' });
    expect(found.valid).toBe(false);
    expect(found.diagnostics.map(({ code }) => code)).toEqual(['G013', 'G008']);
    expect(validate('no.json')).toMatchObject({ valid: false, diagnostics: [{ code: 'G000' }] });
  });
});

test('stats are those of the command', async () => {
  const { exit: _, ...printed } = await unetcJson<object>(
    'stats',
    MNIST,
    '--batch',
    '2',
    '--precision',
    'f16',
  );
  expect(await stats(MNIST, { batch: 2, precision: 'f16' })).toEqual(printed);
});

describe('diff', () => {
  const wider = { ...TINY, unet: { ...(TINY.unet as object), num_heads: 4 } };

  test('is the document of the command, of paths, texts, objects and bundles', async () => {
    fs.writeFileSync(at('a.json'), TEXT);
    fs.writeFileSync(at('b.json'), JSON.stringify(wider));
    const printed = await unetcJson<{ findings: readonly object[] }>('diff', at('a.json'), at('b.json'));
    const rules = (findings: readonly object[]) => findings.map((one) => (one as { rule: string }).rule);
    const document = await diff(at('a.json'), at('b.json'));
    expect(document.findings).toEqual(printed.findings);
    for (const [a, b] of [
      [TEXT, JSON.stringify(wider)],
      [TINY, wider],
      [at('a.json'), wider],
    ] as const)
      expect(rules((await diff(a, b)).findings)).toEqual(rules(printed.findings));
    const bundles = await diff(compile(TINY), compile(wider));
    expect(bundles).toMatchObject({ a: { kind: 'bundle', label: 'a' }, b: { kind: 'bundle' } });
    expect(rules(bundles.findings)).toContain('weights/reinterpreted-heads');
  });

  test('counts what fails, and takes accepted findings', async () => {
    fs.writeFileSync(at('a.json'), TEXT);
    fs.writeFileSync(at('b.json'), JSON.stringify(wider));
    expect((await diff(TINY, wider)).summary.failing).toBeGreaterThan(0);
    expect((await diff(TINY, wider, { failOn: 'never' })).summary.failing).toBe(0);
    await unetc(
      'diff',
      at('a.json'),
      at('b.json'),
      '--write-accepted',
      at('accepted.json'),
      '--reason',
      'meant',
    );
    const accepted = await diff(at('a.json'), at('b.json'), { accept: at('accepted.json') });
    expect(accepted.summary).toMatchObject({ failing: 0 });
    await expect(diff(at('none.json'), TINY)).rejects.toMatchObject({ name: 'GraphError' });
  });
});

test('infer gives a graph that the checkpoint fits, as the command prints it', async () => {
  const found = await infer(WEIGHTS);
  const printed = await unetcJson<{ graph: object; undetermined: object }>('infer', WEIGHTS);
  expect(found.graph).toEqual(printed.graph);
  expect(found.undetermined).toEqual(printed.undetermined);
  expect(compile(found.graph).manifest.parameters.length).toBe(found.tensors);
  expect(await check(found.graph, WEIGHTS)).toMatchObject({ fits: true, notes: [] });
  await expect(infer('none.pt')).rejects.toMatchObject({ kind: 'weights' });
});

test('check tells what does not fit', async () => {
  expect(await check(MNIST, WEIGHTS)).toMatchObject({ fits: true });
  const other = await check(MNIST, 'graphs/mnist-sr.safetensors');
  expect(other).toMatchObject({ fits: false, counts: { shape: 1 } });
  expect(other.layers[0]).toMatchObject({ path: 'input_blocks.0.0' });
});

test('inputs are those that a model takes', async () => {
  const model = await load(TINY, { weights: 'hash:1', reference: true, batch: 2 });
  const made = await inputs(TINY, { seeds: [5, 6], timesteps: [10] });
  expect(made.timesteps).toEqual([10, 10]);
  expect((made.x as { data: Float32Array }).data.subarray(0, 128)).toEqual(normalNoise(5, INITIAL_STEP, 128));
  expect((await model.run(made)).output.shape).toEqual([2, 2, 64]);
  expect(await inputs(compile(TINY, { batch: 3 }))).toMatchObject({ x: { shape: [3, 2, 64] } });
  expect(await inputs(MNIST, { batch: 2, class: [7] })).toMatchObject({ y: [7, 7] });
});

test('encode gives the noise that the command writes, which sample takes', async () => {
  const model = await load(TINY, { weights: 'hash:1', reference: true });
  const image = Float32Array.from({ length: 128 }, (_, i) => Math.sin(i) / 2);
  fs.writeFileSync(at('g.json'), TEXT);
  fs.writeFileSync(
    at('x.safetensors'),
    writeTensors(new Map([['samples', { shape: [1, 2, 64], data: image }]])),
  );
  const words = ['--weights', 'hash:1', '--reference', '--images', at('x.safetensors'), '--steps', 'ddim4'];
  const { exit } = await unetc('encode', at('g.json'), ...words, '--refine', '2', '-o', at('z.safetensors'));
  expect(exit).toBe(0);
  const origin = { kind: 'input', label: 'z' } as const;
  const written = readTensors(fs.readFileSync(at('z.safetensors')), origin).get('noise')!
    .data as Float32Array;
  const steps: number[] = [];
  const onStep = (done: number) => void steps.push(done);
  const latents = [];
  for await (const one of model.encode([{ image }], { steps: 'ddim4', refine: 2, onStep })) latents.push(one);
  expect(latents).toMatchObject([{ position: 0, input: { image }, noise: { shape: [2, 64] } }]);
  expect(latents[0]!.noise.data).toEqual(written);
  expect(steps).toEqual([1, 2, 3, 4]);
  const noise = new Float32Array(latents[0]!.noise.data);
  for await (const back of model.sample([{ seed: 0, noise }], { steps: 'ddim4' }))
    expect(back.image.shape).toEqual([2, 64]);
});

test('clipping can be switched off', async () => {
  const model = await load(TINY, { weights: 'hash:1', reference: true });
  const drawn = async (options: object) => {
    for await (const { image } of model.sample([{ seed: 1 }], { steps: 'ddim2', ...options }))
      return image.data;
    return null;
  };
  expect(await drawn({ clip: true })).toEqual(await drawn({}));
  expect(await drawn({ clip: false })).not.toEqual(await drawn({}));
});
