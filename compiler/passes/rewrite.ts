// Rebuilds a graph node by node: the one way in which passes change it.

import { createOpGraphBuilder, type OpGraphBuilder } from '../opgraph/build.ts';
import type { OpGraph, OpNode } from '../opgraph/opgraph.ts';

/** What stands in the place of a node: `inputs` are already ids of the new graph. */
export type Rewrite = (node: OpNode, inputs: readonly number[], b: OpGraphBuilder, id: number) => number;

/** Copies a node as it is; what a rewrite does to everything it has no interest in. */
export function copy(node: OpNode, inputs: readonly number[], b: OpGraphBuilder): number {
  return b.add(node.op, inputs, node.attrs, node.path);
}

/** Rewrites every node in order and maps the outputs. */
export function rewriteGraph(graph: OpGraph, rewrite: Rewrite): OpGraph {
  const b = createOpGraphBuilder();
  const mapped: number[] = [];
  graph.nodes.forEach((node, id) => {
    mapped.push(
      rewrite(
        node,
        node.inputs.map((i) => mapped[i]!),
        b,
        id,
      ),
    );
  });
  return b.finish(graph.outputs.map(({ name, value }) => ({ name, value: mapped[value]! })));
}
