// Training that computes blocks again: the same bits as training that keeps all, dropout included, on every target.

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { blocksOf, type Graph } from '../../compiler/graph/graph.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import type { Target } from '../../compiler/target.ts';
import { memoryOf } from '../../runtime/bundle.ts';
import type { TrainingBatch } from '../../runtime/training/loss-inputs.ts';
import { programStep } from '../../runtime/training/program-step.ts';
import { admGraphUpTo } from '../arbitrary-adm-graph.ts';
import { type CompactGraph, compactGraphUpTo } from '../arbitrary-graph.ts';
import { weightsOf } from '../fixtures/model-values.ts';
import { noise32 } from '../fixtures/values.ts';
import { openProgram, testDevice, testTargets } from '../on-device.ts';
import { asked } from '../random-graphs.ts';
import { trainingGraph } from '../training-cases.ts';

afterAll(async () => {
  (await testDevice()).check();
});

/** A graph whose residual blocks drop, and which has a loss. */
function trained(spec: CompactGraph): Graph {
  const dropping = Object.entries(spec).map(([key, value]) =>
    key === 'unet' || key === 'adm' ? [key, { ...(value as object), dropout: 0.3 }] : [key, value],
  );
  const { diffusion: _, ...rest } = Object.fromEntries(dropping);
  const { graph } = loadGraph(JSON.stringify(rest), 'arbitrary');
  const variance = graph.out_channels === 2 * graph.in_channels ? 'learned_range' : 'fixed_large';
  return loadGraph(JSON.stringify({ ...rest, diffusion: { steps: 100, variance } }), 'arbitrary').graph;
}

/** Two samples of noise for a graph. */
function batchOf({ in_channels, image_size, super_resolution, num_classes }: Graph): TrainingBatch {
  const image = (size: readonly number[], seed: number) => {
    const { shape, data } = noise32([2, in_channels, ...size], seed);
    return { shape, data: Float32Array.from(data, Math.tanh) };
  };
  return {
    x_start: image(image_size, 1),
    noise: image(image_size, 2),
    timesteps: [7, 80],
    ...(super_resolution === null ? {} : { low_res: image(super_resolution.low_res_size, 3) }),
    ...(num_classes === null ? {} : { y: [0, num_classes - 1] }),
  };
}

interface Asked {
  readonly target: Target;
  /** Whether gradients stand until all are known: then they can be read. */
  readonly waits: boolean;
  readonly memoryLimit?: number;
}

/** The bytes of losses, norms, gradients that stand, and parameters after two steps; all blocks are kept without a limit. */
async function stepsOf(graph: Graph, batch: TrainingBatch, { target, waits, memoryLimit }: Asked) {
  const training = { averages: 1, accumulates: false, waits };
  const options = { batch: batch.timesteps.length, target, training, dropout: true };
  const recomputed = memoryLimit === undefined ? [] : undefined;
  const { bundle } = compileGraph(graph, { ...options, recomputed, memoryLimit });
  const program = await openProgram(bundle, weightsOf(graph, 3));
  const step = await programStep(program, 'test');
  const bits: string[] = [];
  const told = (name: string, data: ArrayLike<number>) =>
    bits.push(`${name} ${Buffer.from(Float32Array.from(data).buffer).toString('base64')}`);
  for (const update of [1, 2]) {
    const settings = {
      update,
      learning_rate: 1e-3,
      weight_decay: 0.1,
      ema_rates: [0.9],
      seed: 5,
      step: update,
    };
    const { losses, grad_norm } = await step.step(batch, settings);
    bits.push(`${update} norm ${grad_norm}`);
    for (const [name, values] of Object.entries(losses)) told(`${update} ${name}`, values);
    const names = waits ? step.parameters.map(({ name }) => `grad.${name}`) : [];
    await program.state.readAll(names, (name, { data }) => told(`${update} ${name}`, data));
  }
  for (const [name, { data }] of await step.read({ kind: 'parameters' })) told(name, data);
  await step.close();
  return { bits, manifest: bundle.manifest };
}

async function check(graph: Graph, batch: TrainingBatch, limits: readonly ('least' | 'between')[]) {
  for (const target of (await testTargets()).filter(({ products }) => products !== 'matrix')) {
    for (const waits of [true, false]) {
      const kept = await stepsOf(graph, batch, { target, waits });
      for (const limit of limits) {
        const bytes = limit === 'least' ? 1 : Math.floor(memoryOf(kept.manifest) * 0.97);
        const again = await stepsOf(graph, batch, { target, waits, memoryLimit: bytes });
        expect(again.manifest.compiler.recomputed?.length, target.name).toBeGreaterThan(0);
        const differing = again.bits
          .filter((line, i) => line !== kept.bits[i])
          .map((line) => line.split(' ', 2));
        expect(differing, `${target.name}, ${limit}`).toEqual([]);
        expect(again.bits).toHaveLength(kept.bits.length);
      }
    }
  }
}

it('a golden model with attention and FiLM, for the least memory and for some', async () => {
  const graph = trained(JSON.parse(trainingGraph('hybrid')));
  await check(graph, batchOf(graph), ['least', 'between']);
  expect(blocksOf(graph).length).toBeGreaterThan(4);
});

describe('arbitrary models', () => {
  const specs = fc.oneof(compactGraphUpTo(8), admGraphUpTo(8));
  const graphs = fc.sample(specs, {
    numRuns: Number(asked ?? 3),
    ...(asked === undefined ? { seed: 15 } : {}),
  });

  it.each(graphs.map((spec) => [JSON.stringify(spec), trained(spec)] as const))('%s', async (_, graph) => {
    await check(graph, batchOf(graph), ['least']);
  });
});
