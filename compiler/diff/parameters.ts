// The parameters of both sides, paired by what they belong to: the base of the weights family and of rename maps.

import type { Graph } from '../graph/graph.ts';
import { layerParameters, type Parameter, parameters } from '../graph/parameters.ts';
import type { BlockPair } from './match.ts';

export interface ParameterPair {
  readonly a: Parameter | null;
  readonly b: Parameter | null;
}

/** The parameters of one layer, by what stands behind its path. */
export function pairParameters(
  a: { readonly path: string; readonly list: readonly Parameter[] } | null,
  b: { readonly path: string; readonly list: readonly Parameter[] } | null,
): readonly ParameterPair[] {
  const suffixed = (side: typeof a) =>
    new Map((side?.list ?? []).map((p) => [p.name.slice(side!.path.length), p] as const));
  const [from, to] = [suffixed(a), suffixed(b)];
  return [...new Set([...from.keys(), ...to.keys()])].map((key) => ({
    a: from.get(key) ?? null,
    b: to.get(key) ?? null,
  }));
}

/** The parameters of a layer pair. */
export function layerPairParameters(
  { a, b }: BlockPair['layers'][number],
  graphs: { readonly a: Graph; readonly b: Graph },
): readonly ParameterPair[] {
  const side = (placed: typeof a, { time_embed, dims }: Graph) =>
    placed && { path: placed.path, list: layerParameters(placed, time_embed.hidden, dims) };
  return pairParameters(side(a, graphs.a), side(b, graphs.b));
}

/** Parameters that belong to no layer: the time embedding, the label embedding and the head. */
export const GLOBAL_PARTS = ['time_embed', 'label_emb', 'out'] as const;

/** The parameters of one of them. */
export function globalParameters(graph: Graph, part: (typeof GLOBAL_PARTS)[number]): readonly Parameter[] {
  return parameters({ ...graph, blocks: [] }).filter(({ name }) => name.startsWith(`${part}.`));
}

/** Whether the values of one are those of the other as they stand. */
export function sameShape(a: Parameter, b: Parameter): boolean {
  return a.shape.join() === b.shape.join();
}

/** Names that differ, names whose value may be zero, names that nothing reads: from a checkpoint of A to graph B. */
export interface RenameMap {
  readonly renames: ReadonlyMap<string, string>;
  /** Parameters of B that A has not, and that leave its outputs as they are while they are zero. */
  readonly zeros: readonly string[];
  /** Tensors of A that B does not read. */
  readonly dropped: readonly string[];
}
