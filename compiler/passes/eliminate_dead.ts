// Drops nodes that no output needs. Model inputs stay, and the embedding of the timesteps, which the host computes
// and writes in their place: they are the interface.

import type { OpGraph, OpNode } from '../opgraph/opgraph.ts';
import { copy, rewriteGraph } from './rewrite.ts';

const DROPPED = -1;

export function eliminate_dead(graph: OpGraph): OpGraph {
  const live = new Set(graph.outputs.map((o) => o.value));
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    const node = graph.nodes[id]!;
    if (live.has(id) || isInterface(node)) for (const input of node.inputs) live.add(input);
  }
  return rewriteGraph(graph, (node, inputs, b, id) =>
    live.has(id) || isInterface(node) ? copy(node, inputs, b) : DROPPED,
  );
}

function isInterface({ op }: OpNode): boolean {
  return op === 'input' || op === 'timestep_embedding';
}
