// A gradient that overflows in an early layer, whose backward pass comes last: in float32 the parameters of later layers have
// changed by then. The kernel is found by the parameters that the step began with, and nothing of such a step is kept.

import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { GENERIC, type Target } from '../../compiler/target.ts';
import { train } from '../../engine/api.ts';
import { silentHost } from '../../engine/host.ts';
import { graphSource } from '../../engine/model/model-source.ts';
import { openTraining } from '../../engine/training/train.ts';
import type { TrainJob } from '../../engine/training/train-job.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { programStep } from '../../runtime/training/program-step.ts';
import type { StepSettings } from '../../runtime/training/training-step.ts';
import { asFloat32, readTensors } from '../../runtime/weights/safetensors.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { weightsOf } from '../fixtures/model-values.ts';
import { openProgram } from '../on-device.ts';
import { contents, temporaryFolder } from '../temporary-folder.ts';
import { goldenTraining, trainingGraph } from '../training-cases.ts';

const at = temporaryFolder();
const { graph, batch, seed, trainingBatch } = goldenTraining('hybrid');

/** So little may be bound that parameters stand in twenty arenas. */
const SMALL: Target = {
  ...GENERIC,
  limits: { ...GENERIC.limits, maxStorageBufferBindingSize: 2 ** 16 * 5 },
};

/** The forward pass is what it was, and a gradient on its way back through the convolution is 2^100 times as large. */
const GAIN = 2 ** 100;
const BLOCK = 'input_blocks.1.0.in_layers';
const FACTORS: Readonly<Record<string, number>> = {
  [`${BLOCK}.0.weight`]: 1 / GAIN,
  [`${BLOCK}.0.bias`]: 1 / GAIN,
  [`${BLOCK}.2.weight`]: GAIN,
};
const KERNEL =
  /^dispatch \d+ of \d+, .* of input_blocks\.1\.0\.in_layers\.2\.gradient .* values are not finite/;

function steep(name: string): Float32Array {
  const factor = FACTORS[name] ?? 1;
  return Float32Array.from(weightsOf(graph, seed)(name), (value) => value * factor);
}

/** Losses times this much have gradients that are finite up to the block, and none behind it. */
const LOUD = { ...trainingBatch, weights: Array.from(trainingBatch.timesteps).map(() => 2 ** 40) };

/** What changes becomes a millionth of what it was: no gradient that comes by it overflows any longer. */
const SHRINKS: StepSettings = {
  ...{ learning_rate: 1e-6, weight_decay: 1e6 - 1, ema_rates: [], seed: 5, update: 1, step: 0 },
};

async function openStep(waits: boolean, averages = 0) {
  const training = { averages, accumulates: false, waits };
  const { bundle } = compileGraph(graph, { batch, target: SMALL, training });
  return programStep(await openProgram(bundle, steep), 'test');
}

describe('a gradient that overflows behind the change of others', () => {
  test('is found by the parameters that the step began with, which are given to nobody', async () => {
    const step = await openStep(false);
    const ran = await step.step(LOUD, SHRINKS);
    expect(ran.taken).toBe(false);
    expect(ran.losses.loss!.every(Number.isFinite)).toBe(true);
    const found = await step.findBadKernel!(LOUD, SHRINKS);
    expect(found).toEqual({ kernel: expect.stringMatching(KERNEL), exact: false });
    // looking for it changes nothing: it is found again
    expect(await step.findBadKernel!(LOUD, SHRINKS)).toEqual(found);
    await expect(step.read({ kind: 'parameters' })).rejects.toThrow('changed some of the parameters');
    await step.close();
  });

  test('is not found by the parameters that such a step leaves', async () => {
    const step = await openStep(true);
    const shrunk = new Map(await step.read({ kind: 'parameters' }));
    const after = ['out.', 'output_blocks.', 'middle_block.'];
    for (const [name, { shape, data }] of shrunk) {
      if (after.some((one) => name.startsWith(one)))
        shrunk.set(name, { shape, data: data.map((v) => v * 1e-6) });
    }
    await step.write({ kind: 'parameters' }, shrunk);
    expect((await step.step(LOUD, SHRINKS)).taken).toBe(true);
    await step.close();
  });

  test('is found where all parameters wait, and none has changed', async () => {
    const step = await openStep(true);
    const before = await step.read({ kind: 'parameters' });
    expect((await step.step(LOUD, SHRINKS)).taken).toBe(false);
    expect(await step.findBadKernel!(LOUD, SHRINKS)).toEqual({
      kernel: expect.stringMatching(KERNEL),
      exact: true,
    });
    expect(await step.read({ kind: 'parameters' })).toEqual(before);
    await step.close();
  });
});

test.each([
  ['parameters that change soon', { waits: false, accumulates: false }, batch],
  ['parameters that wait', { waits: true, accumulates: false }, batch],
  ['microbatches, whose weights stand packed', { waits: true, accumulates: true }, 1],
] as const)('to look at a step that was taken changes nothing: %s', async (_, how, size) => {
  const settings = { ...SHRINKS, weight_decay: 0, learning_rate: 1e-3 };
  const run = async (looks: boolean) => {
    const training = { averages: 0, ...how };
    const { bundle } = compileGraph(graph, { batch: size, target: SMALL, training });
    const step = await programStep(await openProgram(bundle, weightsOf(graph, seed)), 'test');
    expect((await step.step(trainingBatch, settings)).taken).toBe(true);
    const found = looks ? await step.findBadKernel!(trainingBatch, settings) : null;
    const second = await step.step(trainingBatch, { ...settings, update: 2, step: 1 });
    const after = await step.read({ kind: 'parameters' });
    await step.close();
    return { found, second, after };
  };
  const { found, ...looked } = await run(true);
  expect(found).toEqual({ kernel: null, exact: false });
  expect({ found: null, ...looked }).toEqual(await run(false));
});

/** A file of steps whose losses count so much each: where they count nothing no gradient is other than zero. */
function writeSteps(file: string, factors: readonly number[]): void {
  const { x_start, noise, timesteps } = trainingBatch;
  const row = (values: ArrayLike<number>): Tensor => ({
    shape: [values.length],
    data: Float32Array.from(values),
  });
  const tensors = factors.flatMap((factor, k): (readonly [string, Tensor])[] => [
    [`${k}.x_start`, x_start as Tensor],
    [`${k}.noise`, noise as Tensor],
    [`${k}.timesteps`, row(timesteps)],
    [`${k}.weights`, row(Array.from(timesteps, () => factor))],
  ]);
  fs.writeFileSync(file, writeTensors(new Map(tensors)));
}

test('a run in float32 ends with the kernel, and its last checkpoint is what it was', async () => {
  writeSteps(at('replay.safetensors'), [0, 0, 2 ** 40]);
  const weights = new Map(parameters(graph).map(({ name, shape }) => [name, { shape, data: steep(name) }]));
  fs.writeFileSync(at('w.safetensors'), writeTensors(weights));
  const run = async (steps: number) => {
    const job: TrainJob = {
      source: graphSource(trainingGraph('hybrid'), 'g.json'),
      ...{ data: null, data_options: {}, replay: at('replay.safetensors'), optimizer: null },
      ...{ weights: at('w.safetensors'), allow_unexpected: false, rename_map: undefined },
      training: { batch, steps, lr: 1e-3, weight_decay: 0, ema_rate: 0.9, log_interval: 1 },
      output: { save_interval: 1, sample_interval: 0 },
      ...{ validation: {}, out: at('run'), device: {}, reference: false },
    };
    const opened = await openTraining(job, silentHost(), () => openStep(false, 1));
    try {
      for await (const _ of opened.reports());
    } finally {
      await opened.close();
    }
  };
  await run(2);
  const before = contents(at('run'));
  for (const _ of [1, 2]) {
    await expect(run(3)).rejects.toMatchObject({
      kind: 'gpu',
      message: expect.stringMatching(
        /^step 2: the gradients' norm is (NaN|Infinity), and the losses are finite; the first value that is not finite was made by dispatch .* of input_blocks\.1\.0\.in_layers\.2\.gradient .* \(the pass was computed once more, with what the step had changed taken back but for rounding\); the run ends there/,
      ),
    });
    expect(contents(at('run'))).toEqual(before);
  }
});

test('a run in float16 leaves a step out, and ends with the kernel where no smaller scale is left', async () => {
  writeSteps(at('replay.safetensors'), [2 ** 40, 2 ** 40]);
  const read = weightsOf(graph, seed);
  const weights = new Map(
    parameters(graph).map(({ name, shape }) => [name, { shape, data: Float32Array.from(read(name)) }]),
  );
  const options = { replay: at('replay.safetensors'), weights, precision: 'f16', lg_loss_scale: 1 } as const;
  const run = train(trainingGraph('hybrid'), { ...options, save_interval: 1, output: at('half') });
  const { value } = await run.next();
  expect(value).toMatchObject({ taken: false, lg_loss_scale: 0 });
  await expect(run.next()).rejects.toMatchObject({
    kind: 'gpu',
    message: expect.stringMatching(
      /^step 1: gradients overflow even of the loss times 2\^0, .* the first value that is not finite was made by dispatch .*gradient.*; the run ends there/,
    ),
  });
  const saved = readTensors(fs.readFileSync(at('half/model000001.safetensors')), {
    kind: 'weights',
    label: 'model',
  });
  for (const [name, { data }] of weights) expect(asFloat32(saved.get(name)!).data, name).toEqual(data);
  expect(fs.existsSync(at('half/model000002.safetensors'))).toBe(false);
});
