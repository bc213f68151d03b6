// Appends to a graph the ops that compute a gradient: reverse-mode differentiation of one value by another. Source:
// Griewank and Walther 2008, "Evaluating Derivatives", chapter 3.

import { InternalError, invariant } from '../../diagnostics.ts';
import { createOpGraphBuilder, type OpGraphBuilder } from '../../opgraph/build.ts';
import type { NodeOf, OpGraph, OpNode } from '../../opgraph/opgraph.ts';
import { isActivation } from '../../ops/activations.ts';
import type { OpName } from '../../ops/op.ts';
import { formatType, sameShape } from '../../ops/operands.ts';
import { copy } from '../rewrite.ts';
import { GRADIENTS } from './index.ts';
import type { OpRule, Site, Vjp } from './rule.ts';

export interface Derivative {
  /** The value that is differentiated. */
  readonly output: number;
  /** The gradient of what is wanted by `output`, a value of the graph of the same type. */
  readonly cotangent: number;
  /** The value by which it is differentiated. */
  readonly by: number;
}

/**
 * The graph with an output `gradient`: Σ cotangent · output differentiated by `by`, of its type. Nodes keep their ids; what
 * the backward pass adds stands behind them. Throws InternalError where `output` does not depend on `by`, or where an op
 * between them has no rule.
 */
export function differentiate(graph: OpGraph, { output, cotangent, by }: Derivative): OpGraph {
  const b = createOpGraphBuilder();
  for (const node of graph.nodes) copy(node, node.inputs, b);
  const [given, wanted] = [b.typeOf(cotangent), b.typeOf(output)];
  invariant(
    given.dtype === wanted.dtype && sameShape(given.shape, wanted.shape),
    () => `the cotangent of %${output} must be ${formatType(wanted)}, got ${formatType(given)}`,
  );
  const moves = dependents(graph, by);
  invariant(moves.has(output), () => `%${output} does not depend on %${by}`);
  const again = recomputer(graph, b, moves);
  const cotangents = new Map([[output, cotangent]]);
  for (let id = output; id > by; id--) {
    const g = cotangents.get(id);
    if (g === undefined) continue;
    const node = graph.nodes[id]!;
    node.inputs.forEach((operand, i) => {
      if (!moves.has(operand)) return;
      const summand = ruleOf(node, id, i)(siteOf(node, g, b, again));
      const known = cotangents.get(operand);
      const sum = known === undefined ? summand : b.add('add', [known, summand], {}, pathOf(node));
      cotangents.set(operand, sum);
    });
  }
  return b.finish([...graph.outputs, { name: 'gradient', value: cotangents.get(by)! }]);
}

/** The path of what the backward pass computes for a node. */
function pathOf({ path }: OpNode): string {
  return path === '' ? 'gradient' : `${path}.gradient`;
}

/** `by` and every value that depends on it. */
function dependents(graph: OpGraph, by: number): ReadonlySet<number> {
  const found = new Set([by]);
  graph.nodes.forEach(({ inputs }, id) => {
    if (inputs.some((i) => found.has(i))) found.add(id);
  });
  return found;
}

/** The rule of operand `i` of node `id`. */
function ruleOf(node: OpNode, id: number, i: number): Vjp<OpName> {
  const rules: OpRule<never> = GRADIENTS[node.op];
  const rule = rules[Math.min(i, rules.length - 1)] ?? 'none: it has no operands';
  if (typeof rule === 'string')
    throw new InternalError(`%${id} (${node.op}, ${node.path}) has no gradient by operand ${i}: ${rule}`);
  return rule as Vjp<OpName>;
}

function siteOf(node: OpNode, g: number, b: OpGraphBuilder, again: (id: number) => number): Site<OpName> {
  return {
    node: node as NodeOf<OpName>,
    g,
    operand: (i) => again(node.inputs[i]!),
    typeOf: b.typeOf,
    add: (op, inputs, attrs) => b.add(op, inputs, attrs, pathOf(node)),
  };
}

/**
 * A value of the forward pass for a reader of the backward pass. What kernels compute as they load (norm, FiLM,
 * activation) and views of it are written a second time, so that the forward pass need not store it.
 */
function recomputer(graph: OpGraph, b: OpGraphBuilder, moves: ReadonlySet<number>): (id: number) => number {
  const known = new Map<number, number>();
  const again = (id: number): number => {
    const node = graph.nodes[id]!;
    if (!moves.has(id) || !isCheap(node.op)) return id;
    const copied = known.get(id) ?? b.add(node.op, node.inputs.map(again), node.attrs, pathOf(node));
    known.set(id, copied);
    return copied;
  };
  return again;
}

function isCheap(op: OpName): boolean {
  return isActivation(op) || op === 'group_norm' || op === 'film' || op === 'reshape';
}
