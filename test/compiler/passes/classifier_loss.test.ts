// The loss of classifiers in training: its gradients in float64 are the slopes that finite differences give, through every pool.

import { describe, expect, test } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { runReference } from '../../../compiler/opgraph/reference.ts';
import type { RefTensor } from '../../../compiler/ops/op.ts';
import { modelOps } from '../../../compiler/passes/model_ops.ts';
import { listOf } from '../../../runtime/port-values.ts';
import { diffusionProcess } from '../../../runtime/sampler/process.ts';
import { lossInputs } from '../../../runtime/training/loss-inputs.ts';
import { weightsOf } from '../../fixtures/model-values.ts';
import { POOLS, tinyClassifier } from '../../fixtures/tiny-classifier.ts';
import { noise } from '../../fixtures/values.ts';

const BATCH = 2;

describe.each(POOLS)('%s', (pool) => {
  const { graph } = loadGraph(tinyClassifier(pool), pool);
  const options = { batch: BATCH, taps: false, precision: 'f32', gradient: false, gradients: true } as const;
  const ops = modelOps(graph, options);
  const losses = { ...ops, outputs: ops.outputs.filter(({ name }) => name === 'loss.loss') };
  const image = (seed: number) => Float32Array.from(noise([BATCH, 1, 8, 8], seed).data);
  const weights = [1, 0.5];
  const given = { x_start: image(1), noise: image(2), timesteps: [1, 6], y: [3, 0], weights };
  const process = diffusionProcess(graph.diffusion);
  const inputs = Object.fromEntries(
    ops.nodes.flatMap((node): [string, RefTensor][] => {
      if (node.op !== 'input') return [];
      const { name } = node.attrs;
      const data = Float64Array.from(listOf(lossInputs(process, given)[name]!));
      return [[name, { shape: node.type.shape, data }]];
    }),
  );
  const values = weightsOf(graph, 3);
  const read = (name: string) => values(name);
  const found = runReference(ops, read, inputs);
  const names = [...found.keys()].filter((name) => name.startsWith('grad.')).map((name) => name.slice(5));
  type Direction = (name: string, i: number) => number;
  /** The weighted mean of the losses with parameters moved. */
  const lossAt = (move: Direction): number => {
    const moved = (name: string) => Float64Array.from(read(name), (value, i) => value + move(name, i));
    // the executor computes in float64, whatever it is given
    const loss = runReference(losses, moved as unknown as typeof read, inputs).get('loss.loss')!.data;
    return loss.reduce((sum, value, k) => sum + value * weights[k]!, 0) / BATCH;
  };
  const slopeAlong = (direction: Direction): number => {
    // so short that next to none of the spatial pool's 2048 ReLUs is at its corner in between
    const h = 1e-8;
    return (lossAt((n, i) => h * direction(n, i)) - lossAt((n, i) => -h * direction(n, i))) / (2 * h);
  };
  const predicted = (direction: Direction): number =>
    names.reduce((total, name) => {
      const { data } = found.get(`grad.${name}`)!;
      return total + data.reduce((sum, g, i) => sum + g * direction(name, i), 0);
    }, 0);

  test('along several directions of all parameters the loss has the slope of its gradients', () => {
    expect(names.length).toBe(
      new Set(ops.nodes.flatMap(({ op, attrs }) => (op === 'param' ? [attrs.name] : []))).size,
    );
    for (const turn of [1, 2]) {
      const direction = (name: string, i: number) => Math.sin(turn * (names.indexOf(name) + 1) + 0.7 * i);
      expect(Math.abs(slopeAlong(direction) / predicted(direction) - 1)).toBeLessThan(2e-5);
    }
  });

  test('and along one of each parameter of the pool', () => {
    const own = names.filter((name) => name.startsWith('out'));
    expect(own.length).toBeGreaterThan(1);
    for (const own_name of own) {
      const direction = (name: string, i: number) => (name === own_name ? Math.cos(i + 1) : 0);
      const expected = predicted(direction);
      const error = Math.abs(slopeAlong(direction) - expected);
      expect(error, own_name).toBeLessThan(2e-5 * Math.max(1e-3, Math.abs(expected)));
    }
  });

  test('the label is among the first k or not', () => {
    const hits = [1, 5].map((k) => [...found.get(`loss.acc${k}`)!.data]);
    expect(hits.flat().every((hit) => hit === 0 || hit === 1)).toBe(true);
    expect(hits[1]!.every((hit, b) => hit >= hits[0]![b]!)).toBe(true);
  });
});
