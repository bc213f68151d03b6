// `unetc gradients` on the reference executor: words, files and faults. Its numbers on a GPU are in device/training.test.ts.

import fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { GradientsResult } from '../../engine/training/gradients.ts';
import { readTensors } from '../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { goldenGraph } from '../golden-cases.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { goldenTraining, trainingGraph } from '../training-cases.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();
const NAME = 'signal-1d';
const golden = `test/golden/train/gradients/${NAME}/expected.safetensors`;

function call(inputs: string, ...more: readonly string[]) {
  const words = ['--weights', 'hash:8', '--inputs', inputs, '--output', at('out.safetensors'), '--reference'];
  return ['gradients', at('graph.json'), ...words, ...more] as const;
}

/** The batch of the golden case with other tensors in some places. */
function batch(changes: Parameters<typeof writeTensors>[0]): string {
  const { x_start, noise, timesteps } = Object.fromEntries(
    readTensors(fs.readFileSync(golden), { kind: 'input', label: golden }),
  );
  const whole = new Map(Object.entries({ x_start, noise, timesteps }));
  fs.writeFileSync(
    at('in.safetensors'),
    writeTensors(new Map([...whole, ...changes]) as Parameters<typeof writeTensors>[0]),
  );
  return at('in.safetensors');
}

beforeEach(() => fs.writeFileSync(at('graph.json'), trainingGraph(NAME)));

test('writes losses and a gradient for every parameter, of the mean loss', async () => {
  const result = await unetcJson<GradientsResult>(...call(batch(new Map())));
  const found = readTensors(fs.readFileSync(at('out.safetensors')), { kind: 'input', label: 'out' });
  const { losses, errorOf } = goldenTraining(NAME);
  expect([...found.keys()].filter((key) => key.startsWith('loss.')).sort()).toEqual(
    [...losses.keys()].sort(),
  );
  const { all } = errorOf((key) => found.get(key)!.data as Float32Array);
  expect(all).toBeLessThan(1e-6);
  expect(result.batch).toBe(2);
  expect(result.gradients).toBe([...found.keys()].filter((key) => key.startsWith('grad.')).length);
  expect(result.losses.loss).toBeCloseTo(1.20683, 4);
  expect(result.not_finite).toEqual({});
});

describe('refuses', () => {
  const timesteps = (...data: readonly bigint[]) =>
    new Map([['timesteps', { shape: [data.length], data: BigInt64Array.from(data) }]]);

  test('timesteps that are none of the process', async () => {
    const { exit, stderr } = await unetc(...call(batch(timesteps(3n, 1000n))));
    expect(exit).toBe(5);
    expect(stderr).toContain(
      'timesteps[1] is 1000, expected a whole number from 0 to 999: a timestep of training',
    );
  });

  test('the inputs of a forward pass', async () => {
    const x = { shape: [2, 2, 32], data: new Float32Array(128) };
    const { exit, stderr } = await unetc(...call(batch(new Map([['x', x]]))));
    expect(exit).toBe(5);
    expect(stderr).toContain('"x" is no input of the model');
  });

  test('float16', async () => {
    const { exit, stderr } = await unetc(...call(batch(new Map()), '--precision', 'f16'));
    expect(exit).toBe(2);
    expect(stderr).toContain('--precision f16: gradients are computed in float32; leave it out');
  });

  test('a classifier', async () => {
    fs.writeFileSync(at('graph.json'), goldenGraph('adm/classifier-adaptive'));
    const { exit, stderr } = await unetc(...call(batch(new Map())));
    expect(exit).toBe(2);
    expect(stderr).toContain('is a classifier; the losses are those of diffusion models');
  });

  test('a bundle of a forward pass, and run refuses one of gradients', async () => {
    await unetc('compile', at('graph.json'), '--batch', '2', '-o', at('forward'));
    await unetc('compile', at('graph.json'), '--batch', '2', '--gradients', '-o', at('backward'));
    const words = [
      '--weights',
      'hash:8',
      '--inputs',
      batch(new Map()),
      '--output',
      at('out.safetensors'),
      '--reference',
    ];
    const forward = await unetc('gradients', at('forward'), ...words);
    expect(forward.stderr).toContain(
      'the bundle computes a forward pass; compile the graph with --gradients',
    );
    const backward = await unetc('run', at('backward'), ...words);
    expect(backward.stderr).toContain(
      'the bundle computes the gradients of a training batch, for unetc gradients',
    );
    const again = await unetc('gradients', at('backward'), ...words);
    expect(again.stderr).toBe('');
    expect(again.exit).toBe(0);
  });
});
