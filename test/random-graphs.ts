// Arbitrary graphs against the reference, on the adapter: kernels == reference, and fused == unfused.
//
// UNETC_RANDOM_GRAPHS sets how many graphs; with it set, each run draws others (a failure prints its seed).

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Graph } from '../compiler/graph/graph.ts';
import { loadGraph } from '../compiler/graph/load.ts';
import type { OpGraph } from '../compiler/opgraph/opgraph.ts';
import type { RefTensor } from '../compiler/ops/op.ts';
import { modelOps } from '../compiler/passes/model_ops.ts';
import { GENERIC, type Target } from '../compiler/target.ts';
import type { ModelInputs } from '../runtime/model.ts';
import type { CompactGraph } from './arbitrary-graph.ts';
import { smallestGroup } from './fixtures/conditioning.ts';
import { inSlices } from './fixtures/in-slices.ts';
import { inputsOf, referenceOf, weightsOf } from './fixtures/model-values.ts';
import { relativeError, runOnDevice, testTargets } from './on-device.ts';

/** How many graphs somebody asked for; without that, the same ones are drawn in every run. */
export const asked = process.env.UNETC_RANDOM_GRAPHS;
export const graphs = Number(asked ?? 100);

/** Float32 against float64 over a whole model whose norms are well conditioned; PyTorch's own error is near 1e-6. */
export const TOLERANCE = 1e-5;

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

export interface Drawn {
  readonly spec: CompactGraph;
  readonly graph: Graph;
  readonly batch: number;
  readonly taps: boolean;
  readonly seed: number;
}

/** Graphs with what they are compiled for, whose norms amplify no rounding. */
export function drawn(specs: fc.Arbitrary<CompactGraph>): fc.Arbitrary<Drawn> {
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

/** A test that graphs of a kind agree with the reference, however they are compiled. */
export function testAgreement(specs: fc.Arbitrary<CompactGraph>, numRuns: number): void {
  it(
    `${numRuns} agree with the reference, fused and unfused`,
    async () => {
      const targets = await testTargets();
      const property = fc.asyncProperty(drawn(specs), async (choice) => {
        const { seed } = choice;
        // every other graph's convolutions are sliced, which so small ones never are by themselves
        const sliced = (target: Target) => (target === GENERIC && seed % 2 === 1 ? inSlices(target) : target);
        const variants = targets.map(sliced).flatMap(variantsOf);
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
}
