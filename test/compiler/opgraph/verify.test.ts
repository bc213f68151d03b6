import { describe, expect, it } from 'vitest';
import type { OpGraph, OpNode } from '../../../compiler/opgraph/opgraph.ts';
import { verifyOpGraph } from '../../../compiler/opgraph/verify.ts';
import { OPS } from '../../../compiler/ops/index.ts';
import { everyOp } from '../../fixtures/every-op.ts';

/** The graph with its first node of op `op` changed. */
function change(op: OpNode['op'], changes: object): OpGraph {
  const graph = everyOp();
  const id = graph.nodes.findIndex((node) => node.op === op);
  const nodes = graph.nodes.map((node, i) => (i === id ? ({ ...node, ...changes } as OpNode) : node));
  return { ...graph, nodes };
}

const output = { name: 'output', value: 0 };

describe('verifyOpGraph', () => {
  it('accepts a graph of every op', () => {
    const graph = everyOp();
    expect(new Set(graph.nodes.map((node) => node.op))).toEqual(new Set(Object.keys(OPS)));
    expect(() => verifyOpGraph(graph)).not.toThrow();
  });

  it.each<readonly [string, OpGraph, RegExp]>([
    ['an op that is none', change('silu', { op: 'no_op' }), /= no_op \(block.2\): no such op/],
    ['an inherited name as an op', change('silu', { op: 'toString' }), /no such op/],
    [
      'an operand to come',
      change('silu', { inputs: [99] }),
      /silu \(block.2\): operand %99 is not an earlier node/,
    ],
    ['a node that reads itself', change('input', { inputs: [0] }), /%0 = input \(x\): operand %0/],
    ['an operand that is no id', change('silu', { inputs: [0.5] }), /operand %0.5/],
    ['an operand too many', change('silu', { inputs: [0, 1] }), /silu: takes 1 operand, got 2/],
    [
      'another shape',
      change('silu', { type: { dtype: 'f32', shape: [2, 8, 6, 9] } }),
      /type f32\[2,8,6,9\], but gives f32\[2,8,6,8\]/,
    ],
    [
      'another element type',
      change('silu', { type: { dtype: 'f16', shape: [2, 8, 6, 8] } }),
      /f16\[2,8,6,8\], but gives f32/,
    ],
    [
      'an empty dimension',
      change('silu', { type: { dtype: 'f32', shape: [2, 8, 0, 8] } }),
      /not a whole number/,
    ],
    ['a missing attribute', change('dropout', { attrs: {} }), /attribute p is not a number/],
    [
      'an attribute of another kind',
      change('conv', { attrs: { stride: 2, padding: [1, 1] } }),
      /attribute stride is not a shape/,
    ],
    ['an unknown attribute', change('silu', { attrs: { inplace: true } }), /unknown attributes inplace/],
    [
      'attributes that do not fit',
      change('group_norm', { attrs: { groups: 3, eps: 1e-5 } }),
      /8 channels do not divide/,
    ],
    [
      'a parameter twice',
      change('param', { attrs: { name: 'b.weight', shape: [8, 7] } }),
      /param b.weight is already there/,
    ],
    ['a path of two lines', change('silu', { path: 'a\nb' }), /line break/],
    [
      'activations joined as parameters',
      change('param_concat', { inputs: [0, 0] }),
      /%0 is not known when weights are loaded/,
    ],
    ['no outputs', { ...everyOp(), outputs: [] }, /no outputs/],
    ['an output twice', { ...everyOp(), outputs: [output, output] }, /output output is there twice/],
    [
      'an output of nothing',
      { ...everyOp(), outputs: [{ name: 'output', value: 99 }] },
      /%99 does not exist/,
    ],
    [
      'an output without a name',
      { ...everyOp(), outputs: [{ name: 'a b', value: 0 }] },
      /"a b" is not a name/,
    ],
  ])('refuses %s', (_, graph, message) => {
    expect(() => verifyOpGraph(graph)).toThrow(message);
    expect(() => verifyOpGraph(graph)).toThrow(/^internal: /);
  });
});
