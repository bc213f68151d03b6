// Dropout is the identity at inference: its readers read its operand.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { copy, rewriteGraph } from './rewrite.ts';

export function remove_dropout(graph: OpGraph): OpGraph {
  return rewriteGraph(graph, (node, inputs, b) =>
    node.op === 'dropout' ? inputs[0]! : copy(node, inputs, b),
  );
}
