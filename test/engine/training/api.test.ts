// `train` of the Node API on the reference executor: reports, batches of the caller's own, weights, ends.

import fs from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type Batch,
  batchesBy,
  gradients,
  load,
  type TrainOptions,
  type TrainReport,
  train,
  UsageError,
} from '../../../engine/api.ts';
import { tinyGraph, writeTinyImages } from '../../fixtures/tiny-training.ts';
import { contents, temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const GRAPH = tinyGraph();
const SHARED = { reference: true, batch: 2, ema_rate: 0.5, sample_interval: 0 } as const;

const batchOf = (step: number, count: number): Batch => ({
  x_start: {
    shape: [count, 1, 4, 4],
    data: Float32Array.from({ length: count * 16 }, (_, i) => Math.cos(i + 3 * step)),
  },
});

async function reportsOf(options: TrainOptions): Promise<readonly TrainReport[]> {
  const reports: TrainReport[] = [];
  for await (const report of train(GRAPH, options)) reports.push(report);
  return reports;
}

beforeEach(() => writeTinyImages(at('d.safetensors'), 5));

test('steps are reports, and what was learned is there without a folder', async () => {
  await using run = train(GRAPH, { ...SHARED, data: at('d.safetensors'), steps: 2 });
  expect(await run.opened()).toMatchObject({ name: 'tiny', from: 0, steps: 2, batch: 2, notes: [] });
  const before = await run.weights();
  const reports = [];
  for await (const report of run) reports.push(report);
  expect(reports).toMatchObject([
    { step: 0, position: 1, learning_rate: 1e-4, saved: null, picture: null },
    { step: 1, position: 2, row: null },
  ]);
  expect(reports[0]!.row?.get('samples')).toBe(2);
  expect(reports[1]!.losses.loss).toBeGreaterThan(0);
  expect(await run.result()).toMatchObject({ position: 2, samples: 4, out: null, files: [] });
  const after = await run.weights();
  expect(after.get('out.2.weight')!.data).not.toEqual(before.get('out.2.weight')!.data);
  expect((await run.weights(0.5)).get('out.2.weight')!.data).not.toEqual(after.get('out.2.weight')!.data);
  await expect(run.weights(0.9)).rejects.toThrow(
    "weights: found the rate 0.9, expected one of the run's: 0.5",
  );
  const model = await load(GRAPH, { weights: after, reference: true });
  await model.close();
});

test('a checkpoint of a run is graph and weights for whatever takes a graph', async () => {
  const out = at('run');
  const settings = { ...SHARED, data: at('d.safetensors'), steps: 1 };
  await reportsOf({ ...settings, output: out });
  const file = `${out}/model000001.safetensors`;
  const model = await load(file, { reference: true });
  await model.close();
  const { x_start } = batchOf(0, 1);
  const batch = { x_start, noise: x_start, timesteps: [3] };
  const alone = await gradients(file, batch, { reference: true });
  expect(alone.grad_norm).toBe((await gradients(GRAPH, batch, { weights: file, reference: true })).grad_norm);
  await using run = train(file, settings);
  expect((await run.weights()).get('out.2.weight')).toEqual(
    await (async () => {
      await using same = train(GRAPH, { ...settings, weights: file });
      return (await same.weights()).get('out.2.weight');
    })(),
  );
  await expect(load(`${out}/opt000001.safetensors`, { reference: true })).rejects.toThrow('carries no graph');
  await expect(load(GRAPH, {})).rejects.toThrow(
    'only a checkpoint of unetc train, given as the model, brings its own',
  );
});

test('batches of the caller, by their step and one after the other, are the same run', async () => {
  async function* endless(): AsyncGenerator<Batch> {
    for (let step = 0; ; step++) yield batchOf(step, 2);
  }
  const shared = { ...SHARED, steps: 3, save_interval: 1 };
  await reportsOf({ ...shared, data: batchesBy(batchOf), output: at('a') });
  await reportsOf({ ...shared, data: endless(), output: at('b') });
  expect(contents(at('b'))).toEqual(contents(at('a')));
  const again = await reportsOf({ ...shared, steps: 4, data: endless(), output: at('b') });
  expect(again.map(({ step }) => step)).toEqual([3]);
  expect(again[0]!.saved).toBe(at('b/model000004.safetensors'));
});

test('a loop that is left, and a signal, save what was done', async () => {
  const options = { ...SHARED, data: at('d.safetensors'), steps: 5, output: at('run') };
  for await (const { step } of train(GRAPH, options)) if (step === 1) break;
  expect(fs.existsSync(at('run/model000002.safetensors'))).toBe(true);
  expect(fs.existsSync(at('run/.unetc'))).toBe(false);
  const controller = new AbortController();
  const run = train(GRAPH, { ...options, signal: controller.signal });
  expect(await run.next()).toMatchObject({ value: { step: 2 } });
  controller.abort(new Error('enough'));
  await expect(run.next()).rejects.toThrow('enough');
  expect(await run.next()).toEqual({ done: true, value: undefined });
  expect(fs.existsSync(at('run/model000003.safetensors'))).toBe(true);
  await expect(run.weights()).rejects.toThrow('the run has ended and was closed');
});

test('a run that is closed while it waits for data, or left before it began, is at its end', async () => {
  const never = batchesBy(() => new Promise<Batch>(() => undefined));
  async function* waiting(): AsyncGenerator<Batch> {
    await new Promise(() => undefined);
  }
  for (const data of [never, waiting()]) {
    const run = train(GRAPH, { ...SHARED, data, steps: 2 });
    const step = run.next();
    await run.opened();
    await run.close();
    expect(await step).toEqual({ done: true, value: undefined });
  }
  const run = train(GRAPH, { ...SHARED, data: at('d.safetensors'), steps: 2 });
  await run.return();
  expect(await run.next()).toEqual({ done: true, value: undefined });
  await run.close();
});

test('a signal that has come already is the end, heard once', async () => {
  const unheard: unknown[] = [];
  const hear = (reason: unknown): number => unheard.push(reason);
  process.on('unhandledRejection', hear);
  try {
    const run = train(GRAPH, { ...SHARED, data: at('d.safetensors'), steps: 2 });
    await run.opened();
    const controller = new AbortController();
    const other = train(GRAPH, { ...SHARED, data: at('d.safetensors'), steps: 2, signal: controller.signal });
    await other.opened();
    controller.abort(new Error('stop'));
    await expect(other.next()).rejects.toThrow('stop');
    await run.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(unheard).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
  }
});

test('two steps that are asked for at once come one after the other', async () => {
  await using run = train(GRAPH, { ...SHARED, data: at('d.safetensors'), steps: 3 });
  const [first, second] = await Promise.all([run.next(), run.next()]);
  expect([first.value?.step, second.value?.step]).toEqual([0, 1]);
});

test('pictures of samples take no batch from those that come one after the other', async () => {
  const graph = tinyGraph({}, { super_resolution: { low_res_size: 2 } });
  async function* batches(): AsyncGenerator<Batch> {
    const low_res = { shape: [2, 1, 2, 2], data: new Float32Array(8) };
    for (let step = 0; step < 4; step++) yield { ...batchOf(step, 2), low_res };
  }
  for (const [steps, from] of [
    [2, 0],
    [4, 2],
  ] as const) {
    fs.rmSync(at('run/samples'), { recursive: true, force: true });
    const options = { ...SHARED, data: batches(), steps, sample_interval: 2, output: at('run') };
    const run = train(graph, options);
    expect((await run.opened()).from).toBe(from);
    for await (const _ of run);
    expect(fs.existsSync(at(`run/samples/00000${from === 0 ? 2 : 4}.png`))).toBe(true);
  }
});

test.each<[string, unknown, string]>([
  ['nothing', null, 'found null, expected { x_start }'],
  ['an empty one', {}, 'x_start is no tensor, expected { shape: [2, 1, 4, 4], data: a Float32Array }'],
  ['a list', { x_start: [1, 2] }, 'x_start is no tensor'],
  ['a shape in words', { x_start: { shape: '2,1,4,4', data: new Float32Array(32) } }, 'x_start is no tensor'],
])('a batch of the caller that is none is told: %s', async (_, batch, said) => {
  const data = batchesBy(() => batch as Batch);
  await expect(reportsOf({ ...SHARED, data, steps: 1 })).rejects.toThrow(`the batch of step 0: ${said}`);
});

test('batches that end too early, and one that does not fit', async () => {
  async function* two(): AsyncGenerator<Batch> {
    yield batchOf(0, 2);
    yield batchOf(1, 2);
  }
  const shared = { ...SHARED, steps: 3 };
  await expect(reportsOf({ ...shared, data: two() })).rejects.toThrow('data: the batches end before step 2');
  const wrong = batchesBy((step) => batchOf(step, 1));
  await expect(reportsOf({ ...shared, data: wrong })).rejects.toThrow(
    'the batch of step 0: x_start is [1, 1, 4, 4], expected [2, 1, 4, 4]',
  );
});

describe('refuses', () => {
  const data = batchesBy(batchOf);
  test.each<[string, object, string]>([
    ['no data', {}, 'data: train needs it; give a path'],
    ['an option that is none', { data, learning_rate: 1 }, "train: there is no option 'learning_rate'"],
    ['a rate as a text', { data, lr: '1e-4' }, "lr: found '1e-4', expected a number, such as 1e-4"],
    ['rates that are none', { data, ema_rate: ['a'] }, 'ema_rate: found a list of 1, expected a rate'],
    ['data that is none', { data: 5 }, 'data: found 5, expected a path, a dataset, batchesBy'],
  ])('%s', (_, options, message) => {
    expect(() => train(GRAPH, options as TrainOptions)).toThrow(UsageError);
    expect(() => train(GRAPH, options as TrainOptions)).toThrow(message);
  });

  test('settings by their names in programs', async () => {
    await expect(reportsOf({ data, weight_decay: 2 })).rejects.toThrow(
      'weight_decay: found 2, expected a number from 0 to 1',
    );
    await expect(reportsOf({ data, batch: 0 })).rejects.toThrow(
      'batch: found 0, expected a whole number from 1',
    );
  });
});
