// Classifiers in training on every target through each pool against the reference in float64 and against PyTorch: losses, accuracy,
// gradients of all parameters, and steps that lessen the loss.

import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { modelOps } from '../../compiler/passes/model_ops.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import { lossInputs } from '../../runtime/training/loss-inputs.ts';
import { programStep } from '../../runtime/training/program-step.ts';
import { referenceOf, weightsOf } from '../fixtures/model-values.ts';
import { POOLS, tinyClassifier } from '../fixtures/tiny-classifier.ts';
import { noise } from '../fixtures/values.ts';
import { openProgram, relativeError, runBundle, testTargets } from '../on-device.ts';
import { goldenTraining } from '../training-cases.ts';

const BATCH = 3;
const SEED = 3;

// the other pools in float64 alone (test/compiler/passes/training.test.ts)
it.each(['classifiers/attention', 'classifiers/spatial-v2'])(
  '%s: losses, accuracy and all gradients are those of PyTorch',
  async (name) => {
    const { graph, batch, seed, inputs, losses, tolerance, errorOf } = goldenTraining(name);
    for (const target of await testTargets()) {
      const { bundle } = compileGraph(graph, { batch, target, gradients: true });
      const found = await runBundle(bundle, weightsOf(graph, seed), inputs);
      for (const [key, expected] of losses) {
        const { data } = found.get(key)!;
        if (key.startsWith('loss.acc')) expect([...data], `${key}, ${target.name}`).toEqual(expected);
        else expect(relativeError(data, expected), `${key}, ${target.name}`).toBeLessThan(3e-6);
      }
      const error = errorOf((key) => found.get(key)!.data);
      expect(error.all, target.name).toBeLessThan(tolerance);
      expect(error.norm, target.name).toBeLessThan(1e-4);
    }
  },
);

describe.each(POOLS)('%s', (pool) => {
  const { graph } = loadGraph(tinyClassifier(pool), pool);
  const shape = [BATCH, 1, 8, 8];
  const image = (seed: number) => ({ shape, data: Float32Array.from(noise(shape, seed).data) });
  const weights = [1, 0.5, 2];
  const given = { x_start: image(1), noise: image(2), timesteps: [1, 6, 0], y: [3, 0, 6], weights };
  const inputs = lossInputs(diffusionProcess(graph.diffusion), given);

  it('agrees with the reference, and learns what it is shown', async () => {
    const options = {
      batch: BATCH,
      taps: false,
      precision: 'f32',
      gradient: false,
      gradients: true,
    } as const;
    const expected = referenceOf(modelOps(graph, options), inputs, SEED);
    for (const target of await testTargets()) {
      const { bundle } = compileGraph(graph, { batch: BATCH, target, gradients: true });
      const found = await runBundle(bundle, weightsOf(graph, SEED), inputs);
      expect([...found.keys()]).toEqual([...expected.keys()]);
      const of = (from: ReadonlyMap<string, { data: ArrayLike<number> }>, prefix: string) =>
        [...from].flatMap(([name, { data }]) => (name.startsWith(prefix) ? Array.from(data) : []));
      expect(of(found, 'loss.acc')).toEqual(of(expected, 'loss.acc'));
      expect(relativeError(of(found, 'loss.loss'), of(expected, 'loss.loss')), target.name).toBeLessThan(
        3e-6,
      );
      expect(relativeError(of(found, 'grad.'), of(expected, 'grad.')), target.name).toBeLessThan(1e-5);
    }
    const training = { averages: 0, accumulates: false };
    const program = await openProgram(
      compileGraph(graph, { batch: BATCH, training }).bundle,
      weightsOf(graph, SEED),
    );
    const step = await programStep(program, 'test');
    const losses: number[] = [];
    for (let update = 1; update <= 12; update++) {
      const by = { update, learning_rate: 1e-3, weight_decay: 0, ema_rates: [], seed: 0, step: update - 1 };
      const ran = await step.step({ ...given, weights: [1, 1, 1] }, by);
      losses.push(ran.losses.loss!.reduce((sum, one) => sum + one, 0) / BATCH);
      if (update === 12) expect([...ran.losses.acc1!]).toEqual([1, 1, 1]);
    }
    expect(losses.at(-1)! < 0.3 * losses[0]!, losses.join()).toBe(true);
    await step.close();
  });
});
