// `gradients` of the Node API on the reference executor: its numbers, and what it refuses in the API's own words.

import { describe, expect, test } from 'vitest';
import {
  compile,
  type GradientsOptions,
  gradients,
  RuntimeError,
  type TrainingBatch,
  UsageError,
} from '../../engine/api.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { tinyClassifier } from '../fixtures/tiny-classifier.ts';
import { goldenGraph } from '../golden-cases.ts';
import { goldenTraining, trainingBatch, trainingGraph } from '../training-cases.ts';

const NAME = 'signal-1d';
const OPTIONS = { weights: 'hash:8', reference: true } as const;

/** Anything, as JavaScript may give it. */
const any = <T>(value: unknown): T => value as T;

const call = (
  changes: Partial<Record<keyof TrainingBatch, unknown>> = {},
  options: GradientsOptions = OPTIONS,
) => gradients(trainingGraph(NAME), any({ ...trainingBatch(NAME), ...changes }), options);

test('gives the losses of each sample, and gradients of all parameters in their shapes', async () => {
  const { losses, errorOf } = goldenTraining(NAME);
  const found = await call();
  for (const [name, expected] of losses)
    for (const [k, value] of found.losses[name.slice('loss.'.length)]!.entries())
      expect(value).toBeCloseTo(expected[k]!, 5);
  expect(errorOf((key) => found.gradients.get(key.slice('grad.'.length))!.data).all).toBeLessThan(1e-6);
  expect(found.gradients.get('time_embed.0.weight')!.shape).toHaveLength(2);
  const squares = [...found.gradients.values()]
    .flatMap(({ data }) => [...data])
    .reduce((s, v) => s + v * v, 0);
  expect(found.grad_norm).toBeCloseTo(Math.sqrt(squares), 6);
  expect(found).toMatchObject({ name: NAME, adapter: 'the reference executor', notes: [] });
});

test('counts each sample by its weight', async () => {
  const [one, other, both] = await Promise.all([
    call({ weights: [1, 0] }),
    call({ weights: [0, 1] }),
    call({ weights: [0.5, 2] }),
  ]);
  for (const [name, { data }] of both.gradients) {
    const [a, b] = [one.gradients.get(name)!.data, other.gradients.get(name)!.data];
    const worst = Math.max(...data.map((value, i) => Math.abs(value - 0.5 * a[i]! - 2 * b[i]!)));
    expect(worst, name).toBeLessThan(1e-5);
  }
  expect(both.losses).toEqual(one.losses);
});

test('drops by seed, step and number of the sample, so that parts of a batch have the masks of the whole', async () => {
  const { unet, ...graph } = JSON.parse(trainingGraph(NAME));
  const dropping = JSON.stringify({ ...graph, unet: { ...unet, dropout: 0.3 } });
  const whole = trainingBatch(NAME);
  const sample = (k: number): TrainingBatch => {
    const part = (value: unknown) => {
      const { shape, data } = any<Tensor>(value);
      const size = data.length / shape[0]!;
      return { shape: [1, ...shape.slice(1)], data: data.slice(k * size, (k + 1) * size) };
    };
    const timesteps = [whole.timesteps[k]!];
    return { x_start: part(whole.x_start), noise: part(whole.noise), timesteps };
  };
  const drawn = (batch: TrainingBatch, step: number, first_sample: number) =>
    gradients(dropping, { ...batch, dropout: { seed: 9, step, first_sample } }, OPTIONS);
  const all = await drawn(whole, 5, 0);
  const parts = [await drawn(sample(0), 5, 0), await drawn(sample(1), 5, 1)];
  expect(parts.map(({ losses }) => losses.loss![0])).toEqual([...all.losses.loss!]);
  for (const [name, { data }] of all.gradients) {
    const [a, b] = parts.map((part) => part.gradients.get(name)!.data);
    const worst = Math.max(...data.map((value, i) => Math.abs(value - (a![i]! + b![i]!) / 2)));
    expect(worst, name).toBeLessThan(1e-6);
  }
  const others = [await drawn(sample(0), 6, 0), await drawn(sample(0), 5, 1)];
  expect(new Set([...others, parts[0]!].map(({ losses }) => losses.loss![0])).size).toBe(3);
});

test('refuses what dropout cannot be drawn by', async () => {
  await expect(call({ dropout: { seed: -1, step: 2 ** 32 } })).rejects.toThrow(
    /dropout.seed is -1, expected a whole number from 0 to 9007199254740991\n.*dropout.step is 4294967296/,
  );
  await expect(call({ dropout: 3 })).rejects.toThrow(UsageError);
});

test('takes batch and size from x_start', async () => {
  const channels = trainingBatch(NAME).x_start.shape[1]!;
  const image = (batch: number, size: number) => ({
    shape: [batch, channels, size],
    data: new Float32Array(batch * channels * size).fill(0.1),
  });
  const found = await call({ x_start: image(3, 24), noise: image(3, 24), timesteps: [1, 2, 3] });
  expect(found.losses.loss).toHaveLength(3);
});

describe('refuses', () => {
  test.each<[string, () => unknown, string]>([
    [
      'no batch',
      () => gradients(trainingGraph(NAME), any(undefined), OPTIONS),
      'batch: found undefined, expected { x_start',
    ],
    [
      'a key that is none',
      () => call(any({ timestep: [1] })),
      "batch: there is no option 'timestep'; did you mean timesteps?",
    ],
    ['no options', () => call({}, any(null)), 'gradients: found null for its options'],
    ['no weights', () => call({}, any({})), 'weights: gradients needs it'],
    [
      'a batch among the options',
      () => call({}, any({ ...OPTIONS, batch: 2 })),
      "gradients: there is no option 'batch'",
    ],
    [
      'a precision that is none',
      () => call({}, any({ ...OPTIONS, precision: 'f8' })),
      "precision: found 'f8', expected f32 or f16",
    ],
    [
      'a bundle of a forward pass',
      () => gradients(compile(trainingGraph(NAME)), trainingBatch(NAME), { weights: 'hash:8' }),
      'the bundle computes a forward pass',
    ],
  ])('%s as a wrong call', async (_, refused, says) => {
    const error = await Promise.resolve()
      .then(refused)
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toContain(says);
  });

  test.each<[string, Partial<Record<keyof TrainingBatch, unknown>>, string]>([
    ['no noise', { noise: undefined }, 'batch: noise is missing'],
    [
      'timesteps that are none',
      { timesteps: [1.5, 1000] },
      'timesteps[0] is 1.5, expected a whole number from 0 to 999',
    ],
    ['a timestep too few', { timesteps: [1] }, 'timesteps has 1 values, expected 2'],
    ['a list for a tensor', { noise: [1, 2] }, 'noise is no tensor'],
    ['labels of a model without classes', { y: [1, 2] }, 'y is given, but the model takes only'],
    ['weights of another batch', { weights: [1] }, 'weights has 1 values, expected 2'],
    ['a weight that is none', { weights: [1, Number.NaN] }, 'weights[1] is NaN'],
    ['null', { x_start: null }, 'x_start is missing'],
  ])('%s as a wrong input', async (_, changes, says) => {
    const error = await call(changes).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error.kind).toBe('input');
    expect(error.message).toContain(says);
  });

  test('a batch of a classifier without labels', async () => {
    const { x_start, noise, timesteps } = trainingBatch(NAME);
    await expect(
      gradients(goldenGraph('adm/classifier-attention'), { x_start, noise, timesteps }, OPTIONS),
    ).rejects.toThrow('y is missing');
  });
});

test('of a classifier: cross-entropy, whether the label is the first or among five, and gradients of all', async () => {
  const image = (at: number) => {
    return { shape: [2, 1, 8, 8], data: Float32Array.from({ length: 128 }, (_, i) => Math.sin(i + at)) };
  };
  const batch = { x_start: image(0), noise: image(1), timesteps: [0, 5], y: [2, 6] };
  const { losses, gradients: found } = await gradients(tinyClassifier('attention'), batch, OPTIONS);
  expect(Object.keys(losses)).toEqual(['loss', 'acc1', 'acc5']);
  expect(losses.loss!.every((one) => one > 0)).toBe(true);
  expect(found.get('out.2.positional_embedding')!.data.some((value) => value !== 0)).toBe(true);
  await expect(gradients(tinyClassifier('attention'), { ...batch, y: [2, 7] }, OPTIONS)).rejects.toThrow(
    'y[1]',
  );
});

test('a parameter that the loss does not depend on has a gradient of zeros', async () => {
  const conv = (in_channels: number, out_channels: number) => ({
    layers: [{ type: 'conv', in_channels, out_channels, kernel: 3 }],
  });
  // no layer takes the time embedding
  const graph = {
    ...{ version: 1, name: 'convs', dims: 1, image_size: [4], in_channels: 1, out_channels: 1 },
    time_embed: { channels: 8, hidden: 16 },
    blocks: { input: [conv(1, 32)], middle: conv(32, 32), output: [conv(64, 32)] },
  };
  const image = (value: number) => ({ shape: [1, 1, 4], data: new Float32Array(4).fill(value) });
  const batch = { x_start: image(0.5), noise: image(1), timesteps: [3] };
  const { gradients: found } = await gradients(graph, batch, OPTIONS);
  expect(found.get('time_embed.0.weight')).toEqual({ shape: [16, 8], data: new Float32Array(128) });
  expect(found.get('input_blocks.0.0.weight')!.data.some((value) => value !== 0)).toBe(true);
});
