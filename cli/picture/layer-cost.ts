// What each layer of a graph costs: its parameters, and its multiply-accumulates for one image.

import { graphCost as macsOf, totalMacs } from '../../compiler/graph/cost.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
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
  const { total, layers } = macsOf(graph);
  const costs = new Map([...layers].map(([path, macs]) => [path, { params: 0, macs: totalMacs(macs) }]));
  for (const { name, shape } of parameters(graph)) {
    const path = ownerOf(name);
    const { params, macs } = costs.get(path) ?? NOTHING;
    costs.set(path, { params: params + elements(shape), macs });
  }
  return {
    params: [...costs.values()].reduce((sum, { params }) => sum + params, 0),
    macs: totalMacs(total),
    of: (path) => costs.get(path) ?? NOTHING,
  };
}

/** The layer that a parameter is of: `input_blocks.3.0` of `input_blocks.3.0.in_layers.2.weight`. */
function ownerOf(name: string): string {
  return /^((?:input|output)_blocks\.\d+\.\d+|middle_block\.\d+|[^.]+)/.exec(name)![1]!;
}
