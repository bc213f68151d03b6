// One node for equal nodes: every ResBlock activates the same time embedding, which needs it once.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { copy, rewriteGraph } from './rewrite.ts';

export function merge_common_subexpressions(graph: OpGraph): OpGraph {
  const seen = new Map<string, number>();
  return rewriteGraph(graph, (node, inputs, b) => {
    const key = JSON.stringify([node.op, inputs, node.attrs]);
    const known = seen.get(key);
    if (known !== undefined) return known;
    const id = copy(node, inputs, b);
    seen.set(key, id);
    return id;
  });
}
