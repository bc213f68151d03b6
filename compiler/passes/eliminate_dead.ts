// Drops nodes that no output needs. Model inputs stay: they are the interface.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { copy, rewriteGraph } from './rewrite.ts';

const DROPPED = -1;

export function eliminate_dead(graph: OpGraph): OpGraph {
  const live = new Set(graph.outputs.map((o) => o.value));
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    const node = graph.nodes[id]!;
    if (live.has(id) || node.op === 'input') for (const input of node.inputs) live.add(input);
  }
  return rewriteGraph(graph, (node, inputs, b, id) =>
    live.has(id) || node.op === 'input' ? copy(node, inputs, b) : DROPPED,
  );
}
