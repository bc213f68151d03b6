// `unetc gradients` on the reference executor: words, files and faults. Its numbers on a GPU are in device/training.test.ts.

import fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { GradientsResult } from '../../engine/training/gradients.ts';
import { readTensors } from '../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
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

/** The golden graph with a dropout of 0.3 in its residual blocks. */
function withDropout(): string {
  const { unet, ...graph } = JSON.parse(trainingGraph(NAME));
  return JSON.stringify({ ...graph, unet: { ...unet, dropout: 0.3 } });
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

test('in float16: of the loss times a scale, which is taken back', async () => {
  await unetcJson<GradientsResult>(...call(batch(new Map()), '--precision', 'f16'));
  const found = readTensors(fs.readFileSync(at('out.safetensors')), { kind: 'input', label: 'out' });
  const { all } = goldenTraining(NAME).errorOf((key) => found.get(key)!.data as Float32Array);
  expect(all).toBeLessThan(2e-2);
  expect(all).toBeGreaterThan(1e-5);
});

describe('--dropout-seed', () => {
  /** The golden graph with dropout, which says what it draws under seeds and without. */
  const lossesOf = async (...more: readonly string[]) => {
    const { losses } = await unetcJson<GradientsResult>(...call(batch(new Map()), ...more));
    return losses.loss!;
  };

  test('drops, by the seed, what a graph with dropout drops in training, and else nothing', async () => {
    const without = await lossesOf();
    expect(await lossesOf('--dropout-seed', '3')).toBe(without);
    fs.writeFileSync(at('graph.json'), withDropout());
    expect(await lossesOf()).toBe(without);
    const [three, four] = [await lossesOf('--dropout-seed', '3'), await lossesOf('--dropout-seed', '4')];
    expect(new Set([without, three, four]).size).toBe(3);
    expect(await lossesOf('--dropout-seed', '3')).toBe(three);
  });

  test('is refused where it is no seed', async () => {
    const { exit, stderr } = await unetc(...call(batch(new Map()), '--dropout-seed', 'x'));
    expect(exit).toBe(2);
    expect(stderr).toContain('--dropout-seed');
  });

  test('goes with bundles of compile --gradients --dropout, and with no others', async () => {
    fs.writeFileSync(at('graph.json'), withDropout());
    const compile = ['compile', at('graph.json'), '--batch', '2'] as const;
    await unetc(...compile, '--gradients', '-o', at('still'));
    await unetc(...compile, '--gradients', '--dropout', '-o', at('drawn'));
    const [, , ...words] = call(batch(new Map()));
    const seed = ['--dropout-seed', '3'];
    const told = async (folder: string, ...more: readonly string[]) => {
      const { exit, stderr } = await unetc('gradients', at(folder), ...words, ...more);
      return `${exit} ${stderr}`;
    };
    expect(await told('drawn', ...seed)).toBe('0 ');
    expect(await told('still')).toBe('0 ');
    expect(await told('still', ...seed)).toMatch(/^2 .*was compiled without dropout; leave its seed out/);
    expect(await told('drawn')).toMatch(/^2 .*the bundle draws dropout, and the call asks for none/);
    const forward = await unetc(...compile, '--dropout', '-o', at('forward'));
    expect(forward.exit).toBe(2);
    expect(forward.stderr).toContain('--dropout: a forward pass drops nothing');
  });
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
