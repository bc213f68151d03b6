// What each layer of a graph costs: its parameters, and its multiply-accumulates for one image.

import type { Graph } from '../../compiler/graph/graph.ts';
import { lowerGraph } from '../../compiler/graph/lower.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { countNodeMacs } from '../../compiler/opgraph/cost.ts';
import { elements } from '../../runtime/tensor.ts';

export interface LayerCost {
  readonly params: number;
  readonly macs: number;
}

export interface GraphCost extends LayerCost {
  /** Of a layer by its path, and of `time_embed`, `label_emb` and `out`. */
  of(path: string): LayerCost;
}

const NOTHING: LayerCost = { params: 0, macs: 0 };

/** The costs of a graph, in all and layer by layer. */
export function graphCost(graph: Graph): GraphCost {
  const ops = lowerGraph(graph, { batch: 1, taps: false, precision: 'f32' });
  const costs = new Map<string, LayerCost>();
  const add = (name: string, params: number, macs: number): void => {
    const path = ownerOf(name);
    const so_far = costs.get(path) ?? NOTHING;
    costs.set(path, { params: so_far.params + params, macs: so_far.macs + macs });
  };
  for (const { name, shape } of parameters(graph)) add(name, elements(shape), 0);
  for (const [id, { path }] of ops.nodes.entries()) {
    const { conv, linear, attention } = countNodeMacs(ops, id);
    add(path, 0, conv + linear + attention);
  }
  const all = [...costs.values()];
  return {
    params: all.reduce((sum, { params }) => sum + params, 0),
    macs: all.reduce((sum, { macs }) => sum + macs, 0),
    of: (path) => costs.get(path) ?? NOTHING,
  };
}

/** The layer that a parameter or an op is of: `input_blocks.3.0` of `input_blocks.3.0.in_layers.2.weight`. */
function ownerOf(name: string): string {
  return /^((?:input|output)_blocks\.\d+\.\d+|middle_block\.\d+|[^.]+)/.exec(name)![1]!;
}
