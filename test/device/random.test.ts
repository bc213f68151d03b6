// The two equalities of every kernel on arbitrary graphs: kernels == reference, and fused == unfused.
//
// UNETC_RANDOM_GRAPHS sets how many graphs; with it set, each run draws others (a failure prints its seed).

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { lowerGraph } from '../../compiler/graph/lower.ts';
import type { OpGraph } from '../../compiler/opgraph/opgraph.ts';
import type { RefTensor } from '../../compiler/ops/op.ts';
import { runPasses } from '../../compiler/passes/index.ts';
import { modelOps } from '../../compiler/passes/model_ops.ts';
import { backendOf } from '../../compiler/schedule/backends/index.ts';
import type { GroupKind } from '../../compiler/schedule/schedule.ts';
import { TARGETS, type Target } from '../../compiler/target.ts';
import type { ModelInputs } from '../../runtime/model.ts';
import { admGraphUpTo } from '../arbitrary-adm-graph.ts';
import { arbitraryClassifierGraph } from '../arbitrary-classifier-graph.ts';
import { arbitraryExplicitGraph } from '../arbitrary-explicit-graph.ts';
import { type CompactGraph, compactGraphUpTo } from '../arbitrary-graph.ts';
import { unet2dGraphUpTo } from '../arbitrary-unet-2d-graph.ts';
import { smallestGroup } from '../fixtures/conditioning.ts';
import { inputsOf, referenceOf, weightsOf } from '../fixtures/model-values.ts';
import { relativeError, runOnDevice, testTargets } from '../on-device.ts';
import { runOps } from '../run-ops.ts';

const asked = process.env.UNETC_RANDOM_GRAPHS;
const graphs = Number(asked ?? 100);

/** Float32 against float64 over a whole model whose norms are well conditioned; PyTorch's own error is near 1e-6. */
const TOLERANCE = 1e-5;

/** How a graph is compiled. */
interface Variant {
  readonly target: Target;
  readonly fuse: boolean;
  readonly strict: boolean;
}

/** All ways to compile for a target; only subgroups have an algorithm that `strict` rules out. */
function variantsOf(target: Target): readonly Variant[] {
  const fused = { target, fuse: true, strict: false };
  const strict = target.products === 'subgroup' ? [{ ...fused, strict: true }] : [];
  return [fused, { ...fused, fuse: false }, ...strict];
}

interface Drawn {
  readonly spec: CompactGraph;
  readonly graph: Graph;
  readonly batch: number;
  readonly taps: boolean;
  readonly seed: number;
}

function drawn(specs: fc.Arbitrary<CompactGraph>): fc.Arbitrary<Drawn> {
  return fc
    .record({
      spec: specs,
      batch: fc.constantFrom(1, 1, 2, 3),
      taps: fc.boolean(),
      seed: fc.nat(1000),
    })
    .map((choice) => ({ ...choice, graph: loadGraph(JSON.stringify(choice.spec), 'arbitrary').graph }))
    .filter((choice) => smallestGroup(opsOf(choice)) >= 8);
}

/** What a graph is lowered to; of a classifier with its gradient. */
function opsOf({ graph, batch, taps }: Omit<Drawn, 'seed'>): OpGraph {
  return modelOps(graph, { batch, taps, precision: 'f32', gradient: graph.pool !== null });
}

/** The outputs that a compilation gets wrong, with their errors. */
async function wrongOutputs(
  { graph, batch, taps, seed }: Drawn,
  expected: ReadonlyMap<string, RefTensor>,
  inputs: ModelInputs,
  options: Variant,
): Promise<readonly string[]> {
  const gradient = graph.pool !== null;
  const how = { batch, taps, gradient, ...options };
  const results = await runOnDevice(graph, how, weightsOf(graph, seed), inputs);
  expect([...results.keys()]).toEqual([...expected.keys()]);
  return [...expected].flatMap(([name, { data }]) => {
    const error = relativeError(results.get(name)!.data, data);
    return error < TOLERANCE ? [] : [`${name}: ${error}`];
  });
}

describe.each<readonly [string, fc.Arbitrary<CompactGraph>, number]>([
  ['the compact form', compactGraphUpTo(8), Math.ceil(graphs / 2)],
  ['guided-diffusion', admGraphUpTo(8), Math.ceil(graphs / 4)],
  ['diffusers', unet2dGraphUpTo(8), Math.ceil(graphs / 16)],
  ['the explicit form', arbitraryExplicitGraph, Math.floor(graphs / 2)],
  ['classifiers and their gradients', arbitraryClassifierGraph, Math.ceil(graphs / 8)],
])('graphs of %s', (_, specs, numRuns) => {
  it(
    `${numRuns} agree with the reference, fused and unfused`,
    async () => {
      const variants = (await testTargets()).flatMap(variantsOf);
      const property = fc.asyncProperty(drawn(specs), async (choice) => {
        const { seed } = choice;
        const ops = opsOf(choice);
        const inputs = inputsOf(ops, seed);
        const expected = referenceOf(ops, inputs, seed);
        for (const variant of variants) {
          const wrong = await wrongOutputs(choice, expected, inputs, variant);
          const { target, fuse, strict } = variant;
          const how = `${target.name}, ${fuse ? 'fused' : 'unfused'}${strict ? ', strict' : ''}`;
          expect(wrong, how).toEqual([]);
        }
      });
      await fc.assert(property, { numRuns, ...(asked === undefined ? { seed: 20210218 } : {}) });
    },
    10_000 + graphs * 5_000,
  );
});

/** The targets in whose schedules a kind of group is drawn. */
const DRAWN: Readonly<Record<GroupKind, 'every' | readonly string[]>> = {
  conv: 'every',
  map: 'every',
  linear: 'every',
  attention: 'every',
  attention_gradient: 'every',
  norm_gradient: 'every',
  window: 'every',
  position_add: 'every',
  log_softmax_gradient: 'every',
  gather_channels: 'every',
  avg_pool: 'every',
  upsample_linear: 'every',
  embedding: 'every',
  statistics: 'every',
  merge_statistics: [], // of images larger than these
  affine: ['software'],
  transfer: ['software'],
  // those of training are drawn by training.test.ts
  weight_gradient: [],
  norm_sums: [],
  channel_sum: [],
  embedding_gradient: [],
  scale_shift_gradient: [],
  batch_sum: [],
  rows: [],
  mix: [],
  mse: [],
  mse_gradient: [],
  variational_bound: [],
  variational_bound_gradient: [],
};

/** The graph with norms of other groups, each of any number that divides its channels. */
function regrouped(ops: OpGraph, pick: (most: number) => number): OpGraph {
  const nodes = ops.nodes.map((node) => {
    if (node.op !== 'group_norm') return node;
    const channels = node.type.shape[1]!;
    const divisors = Array.from({ length: channels }, (_, i) => i + 1).filter((g) => channels % g === 0);
    return { ...node, attrs: { ...node.attrs, groups: divisors[pick(divisors.length)]! } };
  });
  return { ...ops, nodes };
}

describe('norms of any number of groups', () => {
  const numRuns = Math.ceil(graphs / 25);
  it(
    `${numRuns} graphs agree with the reference, fused and unfused`,
    async () => {
      const targets = await testTargets();
      const specs = fc.oneof(compactGraphUpTo(8), arbitraryExplicitGraph);
      const draw = fc.record({
        choice: drawn(specs),
        tape: fc.array(fc.nat(9999), { minLength: 16, maxLength: 16 }),
      });
      const property = fc.asyncProperty(draw, async ({ choice: { graph, batch, seed }, tape }) => {
        let at = 0;
        const pick = (most: number) => tape[at++ % tape.length]! % most;
        const lowered = lowerGraph(graph, { batch, taps: false, precision: 'f32' });
        const ops = runPasses(regrouped(lowered, pick));
        fc.pre(smallestGroup(ops) >= 8);
        const inputs = inputsOf(lowered, seed);
        const expected = referenceOf(ops, inputs, seed).get('output')!;
        for (const target of targets) {
          for (const fuse of [true, false]) {
            const result = (await runOps(ops, seed, { target, fuse, inputs })).get('output')!;
            const error = relativeError(result.data, expected.data);
            expect(error, `${target.name}, ${fuse ? 'fused' : 'unfused'}`).toBeLessThan(TOLERANCE);
          }
        }
      });
      await fc.assert(property, { numRuns, ...(asked === undefined ? { seed: 20210218 } : {}) });
    },
    10_000 + graphs * 5_000,
  );
});

describe('the graphs that are drawn', () => {
  it('have every kind of group in both schedules of every target', () => {
    const found = new Map(TARGETS.map(({ name }) => [name, new Set<GroupKind>()]));
    for (const specs of [compactGraphUpTo(8), arbitraryExplicitGraph, arbitraryClassifierGraph]) {
      for (const { graph } of fc.sample(drawn(specs), { numRuns: 50, seed: 1 })) {
        for (const target of TARGETS) {
          // the precision that the target's own kernels compute
          const precision = backendOf(target).precisions[0]!;
          for (const fuse of [true, false]) {
            const gradient = graph.pool !== null;
            const { groups } = compileGraph(graph, { target, precision, fuse, gradient }).schedule;
            for (const { kind } of groups) found.get(target.name)!.add(kind);
          }
        }
      }
    }
    for (const [target, kinds] of found) {
      const expected = Object.entries(DRAWN).filter(([, on]) => on === 'every' || on.includes(target));
      expect([...kinds].sort(), target).toEqual(expected.map(([kind]) => kind).sort());
    }
  });
});
