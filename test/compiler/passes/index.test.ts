// The list of passes: what it makes of a whole model, and who is blamed for a broken graph.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { lowerGraph } from '../../../compiler/graph/lower.ts';
import { PASSES, type Pass, runPasses } from '../../../compiler/passes/index.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { compactGraphUpTo } from '../../arbitrary-graph.ts';
import { inputsOf, referenceOf } from '../../fixtures/model-values.ts';
import { graphOf } from '../../fixtures/text.ts';
import { relativeL2 } from '../../fixtures/values.ts';

test('a pass that breaks the graph is named', () => {
  const graph = graphOf(`
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    return output=%1`);
  const forget: Pass = { name: 'forget_nodes', run: (g) => ({ ...g, nodes: g.nodes.slice(1) }) };
  expect(() => runPasses(graph, [...PASSES, forget])).toThrow(/pass forget_nodes broke the graph/);
});

const arbitrary = fc.oneof(compactGraphUpTo(4), arbitraryExplicitGraph);
const lowered = (spec: object) =>
  lowerGraph(loadGraph(JSON.stringify(spec), 'arbitrary').graph, { batch: 1, taps: true, precision: 'f32' });

test('every pass alone keeps the meaning of a model', () => {
  fc.assert(
    fc.property(arbitrary, (spec) => {
      const graph = lowered(spec);
      const inputs = inputsOf(graph, 3);
      const before = referenceOf(graph, inputs, 3);
      for (const pass of PASSES) {
        const after = referenceOf(runPasses(graph, [pass]), inputs, 3);
        for (const [name, { data }] of before) {
          expect(relativeL2(after.get(name)!.data, data), `${pass.name}: ${name}`).toBeLessThan(1e-12);
        }
      }
    }),
    { numRuns: 8, seed: 1 },
  );
});

test('a second round of passes changes nothing', () => {
  fc.assert(
    fc.property(arbitrary, (spec) => {
      const once = runPasses(lowered(spec));
      expect(runPasses(once)).toEqual(once);
    }),
    { numRuns: 30, seed: 1 },
  );
});

test('a model has no dropout left, and one product for all its time projections', () => {
  fc.assert(
    fc.property(arbitrary, (spec) => {
      const { nodes } = runPasses(lowered(spec));
      expect(nodes.filter((node) => node.op === 'dropout')).toEqual([]);
      const linear = nodes.flatMap((node) => (node.op === 'linear' ? [node.path] : []));
      const layers = ['time_embed.0', 'time_embed.2'];
      expect(linear.slice(0, 2)).toEqual(linear.length === 0 ? [] : layers);
      expect(linear.length).toBeLessThanOrEqual(3);
    }),
    { numRuns: 30, seed: 1 },
  );
});
