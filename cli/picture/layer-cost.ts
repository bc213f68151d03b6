// What each layer of a graph costs: its parameters, and its multiply-accumulates for one image.

import type { Graph } from '../../compiler/graph/graph.ts';
import { graphMacs, totalMacs } from '../../compiler/graph/macs.ts';
import { graphModules } from '../../compiler/graph/modules.ts';
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
  const { total, modules } = graphMacs(graph);
  const costs = new Map(
    graphModules(graph).map(({ path, parameters }): [string, LayerCost] => {
      const params = parameters.reduce((sum, { shape }) => sum + elements(shape), 0);
      return [path, { params, macs: totalMacs(modules.get(path)!) }];
    }),
  );
  return {
    params: [...costs.values()].reduce((sum, { params }) => sum + params, 0),
    macs: totalMacs(total),
    of: (path) => costs.get(path) ?? NOTHING,
  };
}
