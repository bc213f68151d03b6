// All linear layers that read one value become one product with the rows of all of them, and each reader takes
// its slice: the ResBlocks' projections of the time embedding are one dispatch instead of thirty.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { copy, rewriteGraph } from './rewrite.ts';

export function merge_time_projections(graph: OpGraph): OpGraph {
  const siblings = new Map<number, number[]>();
  graph.nodes.forEach((node, id) => {
    if (node.op === 'linear') siblings.set(node.inputs[0]!, [...(siblings.get(node.inputs[0]!) ?? []), id]);
  });
  const merged = new Map<number, number>();
  // parameters of later layers, which the product needs before their own place comes
  const early = new Map<number, number>();
  return rewriteGraph(graph, (node, inputs, b, id) => {
    if (node.op !== 'linear') return early.get(id) ?? copy(node, inputs, b);
    const all = siblings.get(node.inputs[0]!)!;
    if (all.length === 1) return copy(node, inputs, b);
    const source = node.inputs[0]!;
    if (!merged.has(source)) {
      const rows = (operand: 1 | 2) =>
        b.add(
          'param_concat',
          all.map((linear) => {
            if (linear === id) return inputs[operand]!;
            const param = graph.nodes[linear]!.inputs[operand]!;
            early.set(param, copy(graph.nodes[param]!, [], b));
            return early.get(param)!;
          }),
          {},
          'time_projections',
        );
      merged.set(source, b.add('linear', [inputs[0]!, rows(1), rows(2)], {}, 'time_projections'));
    }
    const width = (linear: number) => graph.nodes[linear]!.type.shape[1]!;
    const before = all.slice(0, all.indexOf(id));
    const start = before.reduce((n, linear) => n + width(linear), 0);
    return b.add('slice', [merged.get(source)!], { start, end: start + width(id) }, node.path);
  });
}
