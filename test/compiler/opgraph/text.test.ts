// print.ts and parse.ts: the text of an OpGraph and the way back.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { lowerGraph } from '../../../compiler/graph/lower.ts';
import type { OpGraph } from '../../../compiler/opgraph/opgraph.ts';
import { parseOpGraph } from '../../../compiler/opgraph/parse.ts';
import { printOpGraph } from '../../../compiler/opgraph/print.ts';
import { verifyOpGraph } from '../../../compiler/opgraph/verify.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { everyOp } from '../../fixtures/every-op.ts';

const SMALL = `\
%0 = input() {name="x", type=f32[1,3,8,8]} : f32[1,3,8,8]  # x
%1 = param() {name="out.2.weight", shape=[4, 3, 3, 3]} : f32[4,3,3,3]  # out.2
%2 = param() {name="out.2.bias", shape=[4]} : f32[4]
%3 = conv(%0, %1, %2) {stride=[2, 2], padding=[1, 1]} : f32[1,4,4,4]  # out.2
%4 = cast(%3) {dtype=f16} : f16[1,4,4,4]
%5 = silu(%4) : f16[1,4,4,4]  # out.1
return output=%5, down.0=%3
`;

describe('the text of an OpGraph', () => {
  it('has one line a node', () => {
    expect(printOpGraph(parseOpGraph(SMALL))).toBe(SMALL);
  });

  it('round-trips for every op', () => {
    const graph = everyOp();
    expect(parseOpGraph(printOpGraph(graph))).toEqual(graph);
  });

  it('round-trips for arbitrary models', () => {
    fc.assert(
      fc.property(
        arbitraryCompactGraph,
        fc.boolean(),
        fc.constantFrom('f32', 'f16'),
        (spec, taps, precision) => {
          const { graph } = loadGraph(JSON.stringify(spec), 'arbitrary');
          const ops = lowerGraph(graph, { batch: 2, taps, precision });
          verifyOpGraph(ops);
          expect(parseOpGraph(printOpGraph(ops))).toEqual(ops);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('round-trips for any name, path and number', () => {
    const path = fc.string({ unit: 'grapheme-ascii' }).filter((s) => s === s.trim());
    fc.assert(
      fc.property(fc.string(), path, fc.double({ noNaN: true, noDefaultInfinity: true }), (name, at, p) => {
        const type = { dtype: 'f32', shape: [2] } as const;
        const graph: OpGraph = {
          nodes: [
            { op: 'param', inputs: [], attrs: { name, shape: [2] }, type, path: at },
            { op: 'dropout', inputs: [0], attrs: { p: p + 0 }, type, path: '' },
          ],
          outputs: [{ name: 'output', value: 1 }],
        };
        expect(parseOpGraph(printOpGraph(graph))).toEqual(graph);
      }),
    );
  });

  it('may be indented, commented, and leave types out', () => {
    const graph = parseOpGraph(`
      # the head alone
      %0 = input() {name="x", type=f32[1,3,8]}
      %1 = silu(%0)  # out.1

      return output=%1
    `);
    expect(graph.nodes[1]).toEqual({
      op: 'silu',
      inputs: [0],
      attrs: {},
      type: { dtype: 'f32', shape: [1, 3, 8] },
      path: 'out.1',
    });
  });

  const input = '%0 = input() {name="x", type=f32[1,3,8]}\n';
  it.each([
    ['a gap in the ids', `${input}%2 = silu(%0)`, 'line 2, column 1: expected %1, found "%2 = silu(%0)"'],
    ['an unknown op', `${input}%1 = no_op(%0)`, 'not "no_op"'],
    ['an operand to come', `${input}%1 = add(%0, %1)`, 'not %1'],
    [
      'an unknown attribute',
      `${input}%1 = slice(%0) {begin=0, end=1}`,
      'expected start=, found "begin=0, end=1}"',
    ],
    ['attributes where there are none', `${input}%1 = silu(%0) {p=1}`, 'expected the end of the line'],
    ['a bad element type', `${input}%1 = cast(%0) {dtype=f64}`, 'not "f64"'],
    ['an open list', `${input}%1 = silu(%0`, 'expected "," or ")", found the end of the line'],
    ['nodes after return', `${input}return output=%0\n%1 = silu(%0)`, 'line 3'],
    ['no return', input, 'no `return` line'],
    [
      'operands that do not fit',
      `${input}%1 = slice(%0) {start=0, end=4}  # a.b`,
      '%1 (a.b): slice: channels 0 … 4',
    ],
  ])('is refused with %s', (_, text, message) => {
    expect(() => parseOpGraph(text)).toThrow(message);
  });
});
