// What an OpGraph costs: the sums of what its ops cost.

import { opDef } from '../ops/index.ts';
import { addMacs, type Macs, NO_MACS, sizeOf, type TensorType } from '../ops/op.ts';
import type { OpGraph } from './opgraph.ts';

/** Multiply-accumulates by kind of all nodes, over the whole batch. */
export function countMacs(graph: OpGraph): Macs {
  return graph.nodes.reduce((sum, _, id) => addMacs(sum, countNodeMacs(graph, id)), NO_MACS);
}

/** Multiply-accumulates by kind of one node, over the whole batch. */
export function countNodeMacs(graph: OpGraph, id: number): Macs {
  const node = graph.nodes[id]!;
  return opDef(node.op).macs(operandTypes(graph, node.inputs), node.attrs);
}

/** Floating-point operations of one node, over the whole batch. */
export function countNodeFlops(graph: OpGraph, id: number): number {
  const node = graph.nodes[id]!;
  return opDef(node.op).flops(operandTypes(graph, node.inputs), node.attrs);
}

/** Elements of all parameters. */
export function countParams(graph: OpGraph): number {
  let total = 0;
  for (const node of graph.nodes) if (node.op === 'param') total += sizeOf(node.attrs.shape);
  return total;
}

function operandTypes(graph: OpGraph, inputs: readonly number[]): TensorType[] {
  return inputs.map((i) => graph.nodes[i]!.type);
}
