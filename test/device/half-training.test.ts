// Training in float16: the recorded gradients to 2e-2, parameters packed on the device as the host packs them, gradients that
// overflow, which are survived and whose kernel is named, and all that goes with a step.

import { afterAll, describe, expect, it } from 'vitest';
import { type CompileOptions, compileGraph } from '../../compiler/compile.ts';
import { blocksOf, type Graph } from '../../compiler/graph/graph.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { GENERIC, SOFTWARE } from '../../compiler/target.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import { lossInputs } from '../../runtime/training/loss-inputs.ts';
import { programStep } from '../../runtime/training/program-step.ts';
import { withLossScale } from '../../runtime/training/scaled-gradients.ts';
import type { StepSettings } from '../../runtime/training/training-step.ts';
import { weightsOf } from '../fixtures/model-values.ts';
import { tinyClassifier } from '../fixtures/tiny-classifier.ts';
import { noise } from '../fixtures/values.ts';
import { openProgram, relativeError, runBundle, testDevice } from '../on-device.ts';
import { goldenTraining, TRAINING_NAMES, trainingGraph } from '../training-cases.ts';

afterAll(async () => {
  (await testDevice()).check();
});

/** All recorded models on both targets are run by hand (`npm run test:half`): in float16 they have the same kernels there. */
const EVERY = process.env.UNETC_EVERY_KERNEL === '1';
const CASES = EVERY
  ? TRAINING_NAMES.flatMap((name) => [GENERIC, SOFTWARE].map((target) => ({ name, target })))
  : [
      { name: 'hybrid', target: GENERIC },
      { name: 'previous-x-pool', target: SOFTWARE },
    ];

it.each(CASES)(
  '$name on $target.name: the recorded losses and gradients to 2e-2',
  async ({ name, target }) => {
    const { graph, batch, seed, inputs, losses, errorOf } = goldenTraining(name);
    const { bundle } = compileGraph(graph, { batch, target, gradients: true, precision: 'f16' });
    const program = await openProgram(bundle, weightsOf(graph, seed));
    const found = await withLossScale(program).run(inputs);
    for (const [key, expected] of losses) {
      expect(relativeError(found.get(key)!.data, expected), key).toBeLessThan(2e-2);
    }
    const error = errorOf((key) => found.get(key)!.data).all;
    expect(error).toBeLessThan(2e-2);
    // it is float16 that was computed in
    expect(error).toBeGreaterThan(1e-5);
    program.close();
  },
);

const { graph, batch, seed, trainingBatch } = goldenTraining('hybrid');
const SCALE = 2 ** 10;

async function openStep(options: CompileOptions = {}, of: Graph = graph) {
  const training = { averages: 1, accumulates: false };
  const { bundle } = compileGraph(of, { batch, training, precision: 'f16', ...options });
  const program = await openProgram(bundle, weightsOf(of, seed));
  return { ...(await programStep(program, 'test')), program };
}

const settings = (more: Partial<StepSettings> = {}): StepSettings => ({
  ...{ learning_rate: 1e-3, weight_decay: 0, ema_rates: [0.9], seed: 5, loss_scale: SCALE },
  ...{ update: 1, step: 0, ...more },
});

describe('a step', () => {
  it('packs parameters as the host does, and computes the next step with them', async () => {
    const step = await openStep();
    for (const update of [1, 2]) {
      const weights = await step.read({ kind: 'parameters' });
      const ran = await step.step(trainingBatch, settings({ update, step: update }));
      expect(ran.taken).toBe(true);
      const { bundle } = compileGraph(graph, { batch, gradients: true, precision: 'f16' });
      const inputs = lossInputs(diffusionProcess(graph.diffusion), trainingBatch);
      const alone = await runBundle(bundle, (one) => weights.get(one)!.data, inputs);
      expect(ran.losses.loss).toEqual(alone.get('loss.loss')!.data);
    }
    await step.close();
  });

  it('changes nothing where gradients overflow, says which kernel made the first, and goes on with a smaller scale', async () => {
    const step = await openStep();
    const before = await step.read({ kind: 'parameters' });
    const huge = settings({ loss_scale: 2 ** 40 });
    const ran = await step.step(trainingBatch, huge);
    expect(ran.taken).toBe(false);
    expect(ran.losses.loss!.every(Number.isFinite)).toBe(true);
    expect(await step.read({ kind: 'parameters' })).toEqual(before);
    expect(await step.findBadKernel!(trainingBatch, huge)).toEqual({
      kernel: expect.stringMatching(/gradient.*values are not finite/),
      exact: true,
    });
    expect(await step.findBadKernel!(trainingBatch, settings())).toEqual({ kernel: null, exact: true });
    expect((await step.step(trainingBatch, settings())).taken).toBe(true);
    expect(await step.read({ kind: 'parameters' })).not.toEqual(before);
    await step.close();
  });

  it('names the kernel of the forward pass that reads a parameter beyond float16', async () => {
    const step = await openStep();
    const tensors = new Map(await step.read({ kind: 'parameters' }));
    const name = 'middle_block.0.in_layers.2.weight';
    const { shape, data } = tensors.get(name)!;
    tensors.set(name, { shape, data: data.map((value, i) => (i === 7 ? 1e6 : value)) });
    await step.write({ kind: 'parameters' }, tensors);
    const ran = await step.step(trainingBatch, settings());
    expect(ran.taken).toBe(false);
    expect(ran.losses.loss!.some((value) => !Number.isFinite(value))).toBe(true);
    expect(await step.findBadKernel!(trainingBatch, settings())).toEqual({
      kernel: expect.stringMatching(/of middle_block\.0.*not finite/),
      exact: true,
    });
    await step.close();
  });

  it('has the same bits where blocks are computed again, dropout included', async () => {
    const spec = JSON.parse(trainingGraph('hybrid'));
    const dropping = { ...spec, unet: { ...spec.unet, dropout: 0.3 } };
    const dropped = loadGraph(JSON.stringify(dropping), 'dropout').graph;
    const bitsOf = async (recomputed: readonly string[]) => {
      const step = await openStep({ dropout: true, recomputed }, dropped);
      const { losses } = await step.step(trainingBatch, settings());
      const gradients: (readonly [string, ArrayLike<number>])[] = [];
      const names = step.parameters.map(({ name }) => `grad.${name}`);
      await step.program.state.readAll(names, (name, { data }) => gradients.push([name, data.slice()]));
      await step.close();
      return { losses, gradients, bytes: step.bytes };
    };
    const [kept, again] = [await bitsOf([]), await bitsOf(blocksOf(dropped))];
    expect(again.losses).toEqual(kept.losses);
    expect(again.gradients).toEqual(kept.gradients);
    expect(again.bytes).toBeLessThan(kept.bytes);
    const step = await openStep({}, dropped);
    const without = await step.step(trainingBatch, settings());
    expect(without.losses).not.toEqual(kept.losses);
    await step.close();
  });

  it('freezes, clips and averages', async () => {
    const frozen = ['out.2.weight', 'input_blocks.0.0.weight'];
    const before = new Map(frozen.map((name) => [name, weightsOf(graph, seed)(name)]));
    const step = await openStep({ training: { averages: 1, accumulates: false, frozen } });
    const free = await step.step(trainingBatch, settings());
    const moments = (await step.read({ kind: 'exp_avg' })).get('out.0.weight')!.data;
    const [parameters, average] = [
      await step.read({ kind: 'parameters' }),
      await step.read({ kind: 'ema', index: 0 }),
    ];
    for (const [name, data] of before) expect(parameters.get(name)!.data, name).toEqual(data);
    const initial = weightsOf(graph, seed)('out.0.weight');
    const [now, smooth] = [parameters, average].map((of) => of.get('out.0.weight')!.data);
    expect(
      relativeError(
        smooth!,
        initial.map((value, i) => 0.9 * value + 0.1 * now![i]!),
      ),
    ).toBeLessThan(1e-6);
    await step.close();
    const clipped = await openStep({ training: { averages: 1, accumulates: false, frozen } });
    const ran = await clipped.step(trainingBatch, settings({ max_grad_norm: free.grad_norm / 4 }));
    expect(ran.grad_norm).toBe(free.grad_norm);
    const quarter = (await clipped.read({ kind: 'exp_avg' })).get('out.0.weight')!.data;
    expect(
      relativeError(
        quarter,
        moments.map((value) => value / 4),
      ),
    ).toBeLessThan(1e-5);
    await clipped.close();
  });

  it('adds up the gradients of microbatches', async () => {
    const whole = await openStep();
    const parts = await openStep({ batch: 1, training: { averages: 1, accumulates: true } });
    const [a, b] = [await whole.step(trainingBatch, settings()), await parts.step(trainingBatch, settings())];
    expect(b.losses).toEqual(a.losses);
    const of = async ({ read }: Pick<typeof whole, 'read'>) =>
      [...(await read({ kind: 'exp_avg' })).values()].flatMap(({ data }) => Array.from(data));
    expect(relativeError(await of(parts), await of(whole))).toBeLessThan(2e-3);
    await whole.close();
    await parts.close();
  });
});

it('a classifier: its gradients are within 2e-2 of those in float32', async () => {
  const { graph: classifier } = loadGraph(tinyClassifier('attention'), 'attention');
  const shape = [3, 1, 8, 8];
  const image = (of: number) => ({ shape, data: Float32Array.from(noise(shape, of).data) });
  const given = { x_start: image(1), noise: image(2), timesteps: [1, 6, 0], y: [3, 0, 6] };
  const inputs = lossInputs(diffusionProcess(classifier.diffusion), given);
  const gradientsIn = async (precision: 'f32' | 'f16') => {
    const { bundle } = compileGraph(classifier, { batch: 3, gradients: true, precision });
    const program = await openProgram(bundle, weightsOf(classifier, 3));
    const found = await (precision === 'f16' ? withLossScale(program) : program).run(inputs);
    program.close();
    return [...found].flatMap(([name, { data }]) => (name.startsWith('grad.') ? Array.from(data) : []));
  };
  expect(relativeError(await gradientsIn('f16'), await gradientsIn('f32'))).toBeLessThan(2e-2);
});
