// Multiply-accumulates of a graph for one image, module by module, counted on the ops that it is lowered to.

import { countMacs, countNodeMacs } from '../opgraph/cost.ts';
import { addMacs, type Macs, NO_MACS } from '../ops/op.ts';
import type { Graph } from './graph.ts';
import { lowerGraph } from './lower.ts';
import { graphModules } from './modules.ts';

export interface GraphMacs {
  readonly total: Macs;
  /** By the path of the module: a layer's, `time_embed`, `label_emb`, `out`. */
  readonly modules: ReadonlyMap<string, Macs>;
}

/** What one image takes. */
export function graphMacs(graph: Graph): GraphMacs {
  const ops = lowerGraph(graph, { batch: 1, taps: false, precision: 'f32' });
  const modules = new Map(graphModules(graph).map(({ path }) => [path, NO_MACS]));
  for (const [id, { path }] of ops.nodes.entries()) {
    const module = moduleAt(path, modules);
    if (module !== null) modules.set(module, addMacs(modules.get(module)!, countNodeMacs(ops, id)));
  }
  return { total: countMacs(ops), modules };
}

/** The module that an op's path lies in: `out` of `out.2`; null for ops between modules. */
function moduleAt(path: string, modules: ReadonlyMap<string, Macs>): string | null {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
    if (modules.has(at)) return at;
  }
  return null;
}

/** All kinds together. */
export function totalMacs({ conv, linear, attention }: Macs): number {
  return conv + linear + attention;
}
