// Losses and gradients of arbitrary graphs against the reference, on the adapter: the bundle of a training batch == its ops
// in float64, for every loss, prediction and variance.
//
// UNETC_RANDOM_GRAPHS sets how many graphs, as in random-graphs.ts.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compileGraph } from '../compiler/compile.ts';
import type { Graph } from '../compiler/graph/graph.ts';
import { loadGraph } from '../compiler/graph/load.ts';
import type { OpGraph } from '../compiler/opgraph/opgraph.ts';
import type { RefTensor } from '../compiler/ops/op.ts';
import { modelOps } from '../compiler/passes/model_ops.ts';
import type { ModelInputs } from '../runtime/model.ts';
import { listOf } from '../runtime/port-values.ts';
import { diffusionProcess } from '../runtime/sampler/process.ts';
import type { Tensor } from '../runtime/tensor.ts';
import { lossInputs, type TrainingBatch } from '../runtime/training/loss-inputs.ts';
import type { CompactGraph } from './arbitrary-graph.ts';
import { smallestGroup } from './fixtures/conditioning.ts';
import { inputsOf, referenceOf, weightsOf } from './fixtures/model-values.ts';
import { runBundle, testTargets } from './on-device.ts';
import { asked } from './random-graphs.ts';

/** Of losses, and of all gradients together: as the golden cases. */
const TOLERANCE = 2e-5;

/**
 * Of one gradient, beside its own norm and beside that of all: some are nothing but what rounding leaves of a sum that
 * cancels, such as that of a bias in front of a norm.
 */
const ONE_TOLERANCE = { own: 2e-4, all: 1e-5 };

interface Drawn {
  readonly spec: CompactGraph;
  readonly graph: Graph;
  readonly batch: number;
  readonly seed: number;
  readonly timesteps: readonly number[];
}

/** How a diffusion model is trained, as far as its channels leave it open. */
const diffusion = fc.record({
  steps: fc.integer({ min: 21, max: 4000 }),
  noise_schedule: fc.constantFrom('linear', 'cosine'),
  predict: fc.constantFrom('epsilon', 'x_start', 'previous_x', 'v'),
  learned: fc.constantFrom('learned', 'learned_range'),
  fixed: fc.constantFrom('fixed_small', 'fixed_large'),
  loss: fc.constantFrom('mse', 'rescaled_mse', 'kl', 'rescaled_kl'),
  rescale_timesteps: fc.boolean(),
});

/** Graphs with a batch of training, whose norms amplify no rounding. */
function drawn(specs: fc.Arbitrary<CompactGraph>): fc.Arbitrary<Drawn> {
  return fc
    .record({
      spec: specs,
      how: diffusion,
      batch: fc.constantFrom(1, 2, 3),
      seed: fc.nat(1000),
      // the first and the last step are told apart from the others by the losses
      at: fc.array(fc.constantFrom(0, 0.1, 0.5, 0.9, 1), { minLength: 3, maxLength: 3 }),
    })
    .map(({ spec, how: { learned, fixed, ...how }, batch, seed, at }) => {
      const channels = loadGraph(JSON.stringify(spec), 'arbitrary').graph;
      const twice = channels.out_channels === 2 * channels.in_channels;
      const whole = { ...spec, diffusion: { ...how, variance: twice ? learned : fixed } };
      const { graph } = loadGraph(JSON.stringify(whole), 'arbitrary');
      const first = isSharp(graph) ? 1 : 0;
      const timesteps = at.slice(0, batch).map((part) => Math.max(first, Math.round(part * (how.steps - 1))));
      return { spec: whole, graph, batch, seed, timesteps };
    })
    .filter((choice) => {
      const ops = opsOf(choice);
      return smallestGroup(ops) >= 8 && widestHead(ops) <= WIDEST_HEAD;
    });
}

/**
 * Whether the last step's likelihood divides by so small a deviation that it multiplies the rounding of everything before
 * it: any two float32 engines differ there.
 */
function isSharp({ diffusion }: Graph): boolean {
  const { posterior_log_variance_clipped: logs } = diffusionProcess(diffusion).tables;
  return Math.exp(-0.5 * logs[0]!) > 100;
}

/** A software driver takes a minute and more to compile the kernels of `generic` for the gradient of wider heads. */
const WIDEST_HEAD = 32;

function widestHead({ nodes }: OpGraph): number {
  return Math.max(
    0,
    ...nodes.map((node) => (node.op === 'attention' ? node.type.shape[1]! / node.attrs.heads : 0)),
  );
}

function opsOf({ graph, batch }: Pick<Drawn, 'graph' | 'batch'>): OpGraph {
  return modelOps(graph, { batch, taps: false, precision: 'f32', gradient: false, gradients: true });
}

/** A batch of noise for images and for noise, with the tables of the process at the timesteps. */
function batchOf({ graph, seed, timesteps }: Drawn, ops: OpGraph): ModelInputs {
  const {
    coefficients: _,
    weights: _ones,
    x_start,
    ...rest
  } = inputsOf(ops, seed) as unknown as Record<string, Tensor>;
  const image = { ...x_start!, data: Float32Array.from(listOf(x_start!), Math.tanh) };
  const given = { ...rest, x_start: image, timesteps } as unknown as TrainingBatch;
  const weights = timesteps.map((_, k) => 1 + 0.5 * k);
  return lossInputs(diffusionProcess(graph.diffusion), { ...given, weights });
}

/** What a bundle gets wrong, with by how much. */
function wrong(
  found: ReadonlyMap<string, Tensor>,
  expected: ReadonlyMap<string, RefTensor>,
): readonly string[] {
  expect([...found.keys()]).toEqual([...expected.keys()]);
  const parts = [...expected].map(([name, { data }]) => {
    const [error, norm] = [distance(found.get(name)!.data, data), distance(data, null)];
    return { name, error, norm, kind: name.startsWith('loss.') ? 'loss' : 'gradient' };
  });
  const gradients = parts.filter(({ kind }) => kind === 'gradient');
  const all = Math.hypot(...gradients.map(({ norm }) => norm));
  const error = Math.hypot(...gradients.map((one) => one.error));
  const { own, all: beside } = ONE_TOLERANCE;
  return [
    ...parts
      .filter((one) => one.kind === 'loss' && !(one.error <= TOLERANCE * one.norm))
      .map((one) => `${one.name}: ${one.error / one.norm}`),
    ...(error <= TOLERANCE * all ? [] : [`all gradients: ${error} of ${all}`]),
    ...gradients
      .filter((one) => !(one.error <= own * one.norm + beside * all))
      .map((one) => `${one.name}: ${one.error} of ${one.norm}, ${all} in all`),
  ];
}

function distance(a: ArrayLike<number>, b: ArrayLike<number> | null): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - (b?.[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

/** A test that losses and gradients of graphs of a kind agree with the reference on every target. */
export function testGradients(specs: fc.Arbitrary<CompactGraph>, numRuns: number): void {
  it(
    `${numRuns} agree with the reference in losses and gradients`,
    async () => {
      const targets = (await testTargets()).filter(({ products }) => products !== 'matrix');
      const property = fc.asyncProperty(drawn(specs), async (choice) => {
        const ops = opsOf(choice);
        const inputs = batchOf(choice, ops);
        const expected = referenceOf(ops, inputs, choice.seed);
        const { graph, batch, seed } = choice;
        for (const target of targets) {
          const { bundle } = compileGraph(graph, { batch, target, gradients: true });
          const found = await runBundle(bundle, weightsOf(graph, seed), inputs);
          expect(wrong(found, expected), target.name).toEqual([]);
        }
      });
      // a counterexample is told as it is: each smaller one would be compiled, for minutes
      await fc.assert(property, {
        numRuns,
        endOnFailure: true,
        ...(asked === undefined ? { seed: 20210218 } : {}),
      });
    },
    60_000 + numRuns * 60_000,
  );
}
