// Appends to a graph the ops that compute gradients: reverse-mode differentiation of one value by others. Source:
// Griewank and Walther 2008, "Evaluating Derivatives", chapter 3.

import { InternalError, invariant } from '../../diagnostics.ts';
import { createOpGraphBuilder } from '../../opgraph/build.ts';
import type { NodeOf, OpGraph, OpGraphOutput, OpNode } from '../../opgraph/opgraph.ts';
import type { OpName } from '../../ops/op.ts';
import { formatType, sameShape } from '../../ops/operands.ts';
import { copy } from '../rewrite.ts';
import { recomputedOf } from './blocks.ts';
import { GRADIENTS } from './index.ts';
import { createRecomputer, type Recomputer } from './recompute.ts';
import type { OpRule, Site, Vjp } from './rule.ts';

export interface Derivative {
  /** The value that is differentiated. */
  readonly output: number;
  /** The gradient of what is wanted by `output`, a value of the graph of the same type. */
  readonly cotangent: number;
  /** The values by which it is differentiated, by the names of the outputs that their gradients become. */
  readonly by: readonly OpGraphOutput[];
  /** Paths of blocks that the backward pass computes again; default: none. */
  readonly recomputed?: ReadonlySet<string>;
}

/**
 * The graph with an output for each value of `by`: Σ cotangent · output differentiated by it, of its type. Nodes keep their
 * ids; what the backward pass adds stands behind them. Throws InternalError where `output` does not depend on such a value,
 * or where an op between them has no rule.
 */
export function differentiate(graph: OpGraph, derivative: Derivative): OpGraph {
  const { output, cotangent, by, recomputed = new Set<string>() } = derivative;
  const b = createOpGraphBuilder();
  for (const node of graph.nodes) copy(node, node.inputs, b);
  const [given, wanted] = [b.typeOf(cotangent), b.typeOf(output)];
  invariant(
    given.dtype === wanted.dtype && sameShape(given.shape, wanted.shape),
    () => `the cotangent of %${output} must be ${formatType(wanted)}, got ${formatType(given)}`,
  );
  const moves = dependents(graph, by);
  const again = createRecomputer(graph, b, moves, recomputedOf(graph, recomputed));
  const cotangents = new Map([[output, cotangent]]);
  for (let id = output; id >= 0; id--) {
    const g = cotangents.get(id);
    if (g === undefined) continue;
    const node = graph.nodes[id]!;
    const shared = new Map<string, number>();
    node.inputs.forEach((operand, i) => {
      if (!moves.has(operand)) return;
      const summand = ruleOf(node, id, i)(siteOf(graph, { node, i, g: again.cotangent(g), shared }, again));
      const known = cotangents.get(operand);
      const sum = known === undefined ? summand : again.add('add', [known, summand], {}, pathOf(node));
      cotangents.set(operand, sum);
    });
  }
  const gradients = by.map(({ name, value }) => {
    const gradient = cotangents.get(value);
    invariant(gradient !== undefined, () => `%${output} does not depend on %${value}`);
    return { name, value: gradient };
  });
  return b.finish([...graph.outputs, ...gradients]);
}

/** The path of what the backward pass computes for a node. */
function pathOf({ path }: OpNode): string {
  return path === '' ? 'gradient' : `${path}.gradient`;
}

/** The values of `by` and every value that depends on one. */
function dependents(graph: OpGraph, by: readonly OpGraphOutput[]): ReadonlySet<number> {
  const found = new Set(by.map(({ value }) => value));
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

interface Place {
  readonly node: OpNode;
  /** Which operand the rule is of. */
  readonly i: number;
  readonly g: number;
  /** What the rules of the node have computed together. */
  readonly shared: Map<string, number>;
}

function siteOf(graph: OpGraph, { node, i, g, shared }: Place, again: Recomputer): Site<OpName> {
  return {
    node: node as NodeOf<OpName>,
    at: i,
    g,
    operand: (of) => again.value(node.inputs[of]!),
    joined: (of) => joinedAt(graph, node.inputs[of]!),
    typeOf: again.typeOf,
    add: (op, inputs, attrs) => again.add(op, inputs, attrs, pathOf(node)),
    once(name, make) {
      const value = shared.get(name) ?? make();
      shared.set(name, value);
      return value;
    },
  };
}

function joinedAt(graph: OpGraph, id: number): readonly number[] {
  const { op, inputs } = graph.nodes[id]!;
  return op === 'param_concat' ? inputs : [id];
}
