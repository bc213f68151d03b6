// The parameters of both sides, paired by what they belong to: the base of the weights family and of rename maps.

import type { Graph } from '../graph/graph.ts';
import {
  type GraphModule,
  headModule,
  labelEmbModule,
  layerModule,
  timeEmbedModule,
} from '../graph/modules.ts';
import type { Parameter } from '../graph/parameters.ts';
import type { LayerPair } from './match.ts';

export interface ParameterPair {
  readonly a: Parameter | null;
  readonly b: Parameter | null;
}

/** A layer, or a part beside the blocks, on both sides; null where a side has none. */
export interface ModulePair {
  readonly a: GraphModule | null;
  readonly b: GraphModule | null;
  /** By part and tensor, whatever names checkpoints have for them. */
  readonly parameters: readonly ParameterPair[];
}

interface Graphs {
  readonly a: Graph;
  readonly b: Graph;
}

/** The two modules of a layer pair. */
export function layerModules({ a, b }: LayerPair, graphs: Graphs): ModulePair {
  return paired(a && layerModule(graphs.a, a), b && layerModule(graphs.b, b));
}

/** What stands beside the blocks: the time embedding, the label embedding and the head. */
export const BESIDES = ['time_embed', 'label_emb', 'out'] as const;

/** The two modules of one of them. */
export function besideModules(part: (typeof BESIDES)[number], { a, b }: Graphs): ModulePair {
  const of = { time_embed: timeEmbedModule, label_emb: labelEmbModule, out: headModule }[part];
  return paired(of(a), of(b));
}

function paired(a: GraphModule | null, b: GraphModule | null): ModulePair {
  const byKey = (module: GraphModule | null) => new Map((module?.parameters ?? []).map((p) => [p.key, p]));
  const [from, to] = [byKey(a), byKey(b)];
  const keys = [...new Set([...from.keys(), ...to.keys()])];
  return { a, b, parameters: keys.map((key) => ({ a: from.get(key) ?? null, b: to.get(key) ?? null })) };
}

/** Whether all parameters are on both sides in one shape. */
export function sameParameters({ parameters }: ModulePair): boolean {
  return parameters.every(({ a, b }) => a && b && sameShape(a, b));
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
