// All linear layers that read one value become one product with the rows of all of them, and each reader takes
// its slice: the ResBlocks' projections of the time embedding are one dispatch instead of thirty.

import type { OpGraphBuilder } from '../opgraph/build.ts';
import type { OpGraph, OpNode } from '../opgraph/opgraph.ts';
import { copy, rewriteGraph } from './rewrite.ts';

export function merge_time_projections(graph: OpGraph): OpGraph {
  const siblings = new Map<number, number[]>();
  graph.nodes.forEach((node, id) => {
    if (isProjection(graph, node))
      siblings.set(node.inputs[0]!, [...(siblings.get(node.inputs[0]!) ?? []), id]);
  });
  const merged = new Map<number, number>();
  // those of later layers come before their own place, where the product needs them
  const params = new Map<number, number>();
  const param = (id: number, b: OpGraphBuilder) => {
    const known = params.get(id) ?? copy(graph.nodes[id]!, [], b);
    params.set(id, known);
    return known;
  };
  return rewriteGraph(graph, (node, inputs, b, id) => {
    if (node.op === 'param') return param(id, b);
    const source = node.inputs[0]!;
    const all = isProjection(graph, node) ? siblings.get(source)! : [];
    if (all.length < 2) return copy(node, inputs, b);
    if (!merged.has(source)) {
      const rows = (operand: 1 | 2) => {
        const joined = all.map((linear) => param(graph.nodes[linear]!.inputs[operand]!, b));
        return b.add('param_concat', joined, {}, 'time_projections');
      };
      merged.set(source, b.add('linear', [inputs[0]!, rows(1), rows(2)], {}, 'time_projections'));
    }
    const width = (linear: number) => graph.nodes[linear]!.type.shape[1]!;
    const before = all.slice(0, all.indexOf(id));
    const start = before.reduce((n, linear) => n + width(linear), 0);
    return b.add('slice', [merged.get(source)!], { start, end: start + width(id) }, node.path);
  });
}

/** A linear layer of parameters as they are in the checkpoint. */
function isProjection(graph: OpGraph, { op, inputs }: OpNode): boolean {
  return op === 'linear' && inputs.slice(1).every((i) => graph.nodes[i]!.op === 'param');
}
