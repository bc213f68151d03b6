// Opens the weights of a model, where a rename map was given under the names of the graph.

import type { Graph } from '../../compiler/graph/graph.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import { openWeights } from '../../runtime/host/node/open-weights.ts';
import type { Renames } from '../../runtime/weights/rename.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';

/** The weights that `spec` names; `map` is a file that `unetc diff --write-rename-map` wrote. Throws RuntimeError('weights'). */
export async function openRenamed(
  spec: string,
  map: string | undefined,
  graph: Graph,
): Promise<WeightSource> {
  if (map === undefined) return openWeights(spec);
  const { readRenameMap } = await import('./rename-map.ts');
  const renames = readRenameMap(map);
  return renamedBy(renames, openWeights(spec), graph);
}

/** Weights that are open already, by a map or the file of one. Takes `source` over. */
export async function renamedBy(
  map: string | Renames | undefined,
  source: WeightSource,
  graph: Graph,
): Promise<WeightSource> {
  if (map === undefined) return source;
  const { renamedWeights } = await import('../../runtime/weights/rename.ts');
  const renames = typeof map === 'string' ? (await import('./rename-map.ts')).readRenameMap(map) : map;
  return renamedWeights(source, renames, parameters(graph));
}
