// Gradient checkpointing: of a block that is recomputed, the forward pass keeps nothing for the backward pass but what other ops
// read. Source: Chen et al. 2016, arXiv:1604.06174; improved-diffusion, nn.py (CheckpointFunction).

import type { OpGraph } from '../../opgraph/opgraph.ts';

/** Whether the backward pass computes a value again because its block is one of `blocks`, by their paths. */
export type IsRecomputed = (id: number) => boolean;

/** What the op lies in: `input_blocks.1.0` for `input_blocks.1.0.in_layers.2`; null where it is none of `blocks`. */
export function blockOf(path: string, blocks: ReadonlySet<string>): string | null {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
    if (blocks.has(at)) return at;
  }
  return null;
}

/** Of a block's values those that no op outside of it reads: its result is what the next block keeps. */
export function recomputedOf(graph: OpGraph, blocks: ReadonlySet<string>): IsRecomputed {
  const own = graph.nodes.map(({ path }) => blockOf(path, blocks));
  const left = new Set(graph.outputs.map(({ value }) => value));
  graph.nodes.forEach(({ inputs }, id) => {
    for (const input of inputs) if (own[input] !== own[id]) left.add(input);
  });
  // what is seen through a view is kept with it
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    const { op, inputs } = graph.nodes[id]!;
    if (left.has(id) && op === 'reshape') left.add(inputs[0]!);
  }
  return (id) => own[id] !== null && !left.has(id);
}
