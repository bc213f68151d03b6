// What gradients do not depend on: how a batch is cut into parts, and how often it is computed. And what they are where
// training begins.

import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import type { Target } from '../../compiler/target.ts';
import { initialWeights } from '../../engine/training/init.ts';
import type { PortValue } from '../../runtime/model.ts';
import type { ReadParameter } from '../../runtime/program.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { lossInputs, type TrainingBatch } from '../../runtime/training/loss-inputs.ts';
import { weightsOf } from '../fixtures/model-values.ts';
import { relativeError, runBundle, testTargets } from '../on-device.ts';
import { goldenTraining, trainingBatch } from '../training-cases.ts';

/** Cases over classes, super-resolution, learned variances and both kinds of loss. */
const NAMES = ['hybrid', 'additive-class', 'superres', 'kl'];

/** The batch of a case twice, with other timesteps the second time. */
function four(name: string, graph: Graph): TrainingBatch {
  const batch = trainingBatch(name);
  const steps = graph.diffusion.steps;
  const twice = (value: PortValue): PortValue => {
    if (!('shape' in value)) return [...Array.from(value), ...Array.from(value)];
    const [rows, ...shape] = value.shape;
    return {
      shape: [2 * rows!, ...shape],
      data: Float32Array.from([...value.data, ...value.data.map((v) => 0.9 * v)]),
    };
  };
  const given = Object.entries(batch).map(([key, value]) => [key, twice(value as PortValue)]);
  const timesteps = [...Array.from(batch.timesteps), ...Array.from(batch.timesteps, (t) => (t + 17) % steps)];
  return { ...Object.fromEntries(given), timesteps };
}

/** Samples [from, until) of a batch. */
function part(batch: TrainingBatch, from: number, until: number, weight: number): TrainingBatch {
  const cut = (value: PortValue): PortValue => {
    if (!('shape' in value)) return Array.from(value).slice(from, until);
    const [rows, ...shape] = value.shape;
    const each = value.data.length / rows!;
    return { shape: [until - from, ...shape], data: value.data.slice(from * each, until * each) };
  };
  const given = Object.entries(batch).map(([key, value]) => [key, cut(value as PortValue)]);
  const weights = Array.from({ length: until - from }, () => weight);
  return { ...Object.fromEntries(given), weights };
}

function run(graph: Graph, target: Target, batch: TrainingBatch, read: ReadParameter) {
  const size = batch.timesteps.length;
  const { bundle } = compileGraph(graph, { batch: size, target, gradients: true });
  return runBundle(bundle, read, lossInputs(diffusionProcess(graph.diffusion), batch));
}

const gradientsOf = (results: ReadonlyMap<string, Tensor>) =>
  [...results].filter(([name]) => name.startsWith('grad.'));

describe.each(NAMES)('%s', (name) => {
  it('has the same mean gradient in parts of any size, and losses of the same bits', async () => {
    const { graph, seed } = goldenTraining(name);
    const batch = four(name, graph);
    const size = batch.timesteps.length;
    for (const target of await testTargets()) {
      const read = weightsOf(graph, seed);
      const whole = await run(graph, target, batch, read);
      for (const sizes of [Array.from({ length: size }, () => 1), [3, size - 3]]) {
        const sums = new Map(
          gradientsOf(whole).map(([key, { data }]) => [key, new Float64Array(data.length)]),
        );
        let from = 0;
        for (const count of sizes) {
          // the mean of a part counts as its share of the batch
          const found = await run(graph, target, part(batch, from, from + count, count / size), read);
          for (const [key, { data }] of gradientsOf(found))
            for (const [i, value] of data.entries()) sums.get(key)![i]! += value;
          for (const [key, { data }] of whole) {
            if (key.startsWith('loss.')) expect(found.get(key)!.data).toEqual(data.slice(from, from + count));
          }
          from += count;
        }
        const all = [...sums.values()].flatMap((values) => [...values]);
        const expected = gradientsOf(whole).flatMap(([, { data }]) => [...data]);
        expect(relativeError(all, expected), `${target.name}, ${sizes}`).toBeLessThan(1e-6);
      }
    }
  });

  it('has the same bytes in two programs', async () => {
    const { graph, seed } = goldenTraining(name);
    const batch = trainingBatch(name);
    for (const target of await testTargets()) {
      const [first, second] = [
        await run(graph, target, batch, weightsOf(graph, seed)),
        await run(graph, target, batch, weightsOf(graph, seed)),
      ];
      expect(first).toEqual(second);
    }
  });

  it('begins with a gradient of the last convolution alone', async () => {
    const { graph } = goldenTraining(name);
    const weights = initialWeights(graph, 3);
    for (const target of await testTargets()) {
      const found = await run(graph, target, trainingBatch(name), (key) => weights.get(key)!.data);
      const moved = gradientsOf(found).filter(([, { data }]) => data.some((value) => value !== 0));
      expect(moved.map(([key]) => key).sort(), target.name).toEqual(['grad.out.2.bias', 'grad.out.2.weight']);
    }
  });
});
