// `unetc run`, `unetc sample` and the Node API on the adapter, from words to numbers.

import fs from 'node:fs';
import { expect, test } from 'vitest';
import { compile, load } from '../../engine/api.ts';
import type { RunResult } from '../../engine/model/run-model.ts';
import { readTensors } from '../../runtime/weights/safetensors.ts';
import { goldenGraph } from '../golden-cases.ts';
import { goldenTensors } from '../golden-tensors.ts';
import { relativeError } from '../on-device.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();
const GOLDEN = 'test/golden/tiny-additive-class/expected.safetensors';
const expected = goldenTensors('tiny-additive-class/expected.safetensors');

function readFloats(file: string, name: string): Float32Array {
  const tensor = readTensors(fs.readFileSync(file), { kind: 'input', label: file }).get(name);
  return tensor!.data as Float32Array;
}

test('a graph and its bundle give what PyTorch gave, in the same bits', async () => {
  fs.writeFileSync(at('graph.json'), goldenGraph('tiny-additive-class'));
  const run = (model: string, out: string) =>
    unetcJson<RunResult>(
      ...['run', at(model), '--weights', 'hash:1', '--inputs', GOLDEN, '--output', at(out), '--taps'],
    );
  const result = await run('graph.json', 'a.safetensors');
  expect(result).toMatchObject({ exit: 0, batch: 3, not_finite: {}, tensors: { output: [3, 3, 16, 16] } });
  const output = readFloats(at('a.safetensors'), 'output');
  expect(relativeError(output, expected('output').data)).toBeLessThan(1e-5);

  const words = ['-o', at('b'), '--batch', '3', '--taps', '--target', 'auto'];
  expect((await unetc('compile', at('graph.json'), ...words)).exit).toBe(0);
  expect((await run('b', 'b.safetensors')).adapter).toBe(result.adapter);
  expect(fs.readFileSync(at('b.safetensors')).equals(fs.readFileSync(at('a.safetensors')))).toBe(true);
});

test('two loaded models run side by side, and close', async () => {
  const compiled = compile(goldenGraph('tiny-additive-class'), { batch: 3 });
  const models = [
    await load(compiled, { weights: 'hash:1' }),
    await load(compiled, { weights: 'hash:1', reference: true }),
  ];
  const [x, timesteps, y] = [expected('x'), expected('timesteps'), expected('y')];
  const given = {
    x: { shape: x.shape, data: Float32Array.from(x.data) },
    timesteps: timesteps.data,
    y: y.data,
  };
  const outputs = await Promise.all(models.map((model) => model.run(given)));
  for (const { output } of outputs)
    expect(relativeError(output.data, expected('output').data)).toBeLessThan(1e-5);
  const again = await models[0]!.run(given);
  expect(again.output.data).toEqual(outputs[0]!.output.data);
  await expect(models[0]!.run({ ...given, y: [1, 2, 99] })).rejects.toThrow('y[2] is 99');
  await Promise.all(models.map((model) => model.close()));
});

test('samples agree with those of the reference executor', async () => {
  const sample = (out: string, ...more: readonly string[]) =>
    unetc(
      ...[
        'sample',
        'graphs/mnist.json',
        '--weights',
        'test/golden/mnist/model.pt',
        '--seeds',
        '4',
        '--class',
        '7',
      ],
      ...['--steps', 'ddim2', '--format', 'safetensors', '--out', at(out), ...more],
    );
  expect((await sample('gpu')).exit).toBe(0);
  expect((await sample('cpu', '--reference')).exit).toBe(0);
  const [gpu, cpu] = ['gpu', 'cpu'].map((out) => readFloats(at(out, 'samples.safetensors'), 'samples'));
  const worst = gpu!.reduce((most, value, i) => Math.max(most, Math.abs(value - cpu![i]!)), 0);
  expect(worst).toBeLessThan(1e-3);
  expect(gpu).toHaveLength(784);
});
