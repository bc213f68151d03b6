// The two equalities of every kernel on arbitrary graphs, as random-graphs.ts says. Families and forms have files, and with
// them processes, of their own: a software driver maps memory for each kernel, and a process has a limit of mappings.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { lowerGraph } from '../../compiler/graph/lower.ts';
import type { OpGraph } from '../../compiler/opgraph/opgraph.ts';
import { runPasses } from '../../compiler/passes/index.ts';
import { backendOf } from '../../compiler/schedule/backends/index.ts';
import type { GroupKind } from '../../compiler/schedule/schedule.ts';
import { TARGETS } from '../../compiler/target.ts';
import { arbitraryClassifierGraph } from '../arbitrary-classifier-graph.ts';
import { arbitraryExplicitGraph } from '../arbitrary-explicit-graph.ts';
import { compactGraphUpTo } from '../arbitrary-graph.ts';
import { smallestGroup } from '../fixtures/conditioning.ts';
import { inputsOf, referenceOf } from '../fixtures/model-values.ts';
import { relativeError, testTargets } from '../on-device.ts';
import { asked, drawn, graphs, TOLERANCE, testAgreement } from '../random-graphs.ts';
import { runOps } from '../run-ops.ts';

describe('graphs of the compact form', () => testAgreement(compactGraphUpTo(8), Math.ceil(graphs / 2)));

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
  dropout_mask: [],
  mix: [],
  cross_entropy: [],
  cross_entropy_gradient: [],
  top_k: [],
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
