// Holds a checkpoint against a graph and says what does not fit in the graph's terms: the options that would differ,
// then layer by layer what the graph has and what the checkpoint has.

import { GraphError } from '../diagnostics.ts';
import type { JsonObject, Undetermined } from '../families/family.ts';
import { FAMILY_KEYS, familyOf } from '../families/index.ts';
import { namingOf } from '../families/namings.ts';
import { type Tensors, withoutPrefix } from '../families/tensors.ts';
import type { Json } from '../format/json.ts';
import type { Graph } from '../graph/graph.ts';
import { graphModules } from '../graph/modules.ts';
import { parameters } from '../graph/parameters.ts';
import type { Spec } from '../spec/spec.ts';
import { type InferResult, inferGraph } from './infer.ts';
import { findMisfits, type Misfit, toldLayer } from './misfits.ts';

/** A setting that shapes tell and that differs. */
export interface DifferentOption {
  readonly option: string;
  readonly graph: Json;
  readonly checkpoint: Json;
}

/** A layer, or a part beside the blocks such as `time_embed`, some of whose tensors do not fit. */
export interface DifferentLayer {
  readonly path: string;
  /** The layer in words; null where there is none, or none that is known. */
  readonly graph: string | null;
  readonly checkpoint: string | null;
  /** Whether the checkpoint has no tensor of it. */
  readonly absent: boolean;
  readonly misfits: readonly Misfit[];
}

export interface CheckReport {
  readonly fits: boolean;
  /** What was taken off every tensor's name. */
  readonly prefix: string;
  /** Tensors of the checkpoint. */
  readonly tensors: number;
  readonly counts: Readonly<Record<Misfit['kind'], number>>;
  /** Null where the checkpoint is of no graph of the family, or they are not both made by the keywords of one family. */
  readonly options: readonly DifferentOption[] | null;
  readonly layers: readonly DifferentLayer[];
  /** Settings of the graph that no shape can confirm. */
  readonly undetermined: readonly Undetermined[];
}

/** Never throws on a graph that was checked; `form` is the one that its file is written in. */
export function checkTensors(graph: Graph, tensors: Tensors, form?: Spec['form']): CheckReport {
  const wanted = parameters(graph);
  const { all, prefix } = withoutPrefix(tensors, wanted[0]!.name);
  const misfits = findMisfits(graph, all);
  const own = inferGraph(new Map(wanted.map(({ name, shape }) => [name, shape])), { ...(form && { form }) });
  const other = misfits.length === 0 ? own : inferred(all, form);
  const count = (kind: Misfit['kind']) => misfits.filter((one) => one.kind === kind).length;
  return {
    fits: misfits.length === 0,
    prefix,
    tensors: tensors.size,
    counts: { missing: count('missing'), unexpected: count('unexpected'), shape: count('shape') },
    options: other && compareOptions(own.spec, other.spec),
    layers: compareLayers(graph, other?.graph ?? null, misfits, all),
    undetermined: own.undetermined,
  };
}

function inferred(tensors: Tensors, form: Spec['form'] | undefined): InferResult | null {
  try {
    return inferGraph(tensors, { ...(form && { form }) });
  } catch (error) {
    if (error instanceof GraphError) return null;
    throw error;
  }
}

/** The keywords that differ, and what stands beside them; guesses are the same on both sides or left out. */
function compareOptions(a: JsonObject, b: JsonObject): readonly DifferentOption[] | null {
  const family = FAMILY_KEYS.find((key) => key in a && key in b);
  if (family === undefined) return null;
  const { untold } = familyOf(family);
  const flat = (spec: JsonObject): JsonObject => ({
    ...(spec[family] as JsonObject),
    super_resolution: 'super_resolution' in spec,
  });
  const [left, right] = [flat(a), flat(b)];
  return Object.keys(left)
    .filter((key) => !untold.includes(key))
    .filter((key) => JSON.stringify(left[key]) !== JSON.stringify(right[key]))
    .map((option) => ({ option, graph: left[option]!, checkpoint: right[option]! }));
}

function compareLayers(
  graph: Graph,
  other: Graph | null,
  misfits: readonly Misfit[],
  tensors: Tensors,
): readonly DifferentLayer[] {
  const { moduleOf } = namingOf(graph.naming);
  const present = new Set([...tensors.keys()].map(moduleOf));
  const [ours, theirs] = [layersByPath(graph), other && layersByPath(other)];
  const found = new Map<string, Misfit[]>();
  for (const misfit of misfits) {
    const path = moduleOf(misfit.name);
    found.set(path, [...(found.get(path) ?? []), misfit]);
  }
  return [...found].map(([path, own]) => ({
    path,
    graph: ours.get(path) ?? null,
    checkpoint: theirs?.get(path) ?? null,
    absent: !present.has(path),
    misfits: own,
  }));
}

/** The modules of a graph in words, by what their checkpoints call them. */
function layersByPath(graph: Graph): Map<string, string> {
  const { blocks, time_embed, num_classes, head, pool, out_channels } = graph;
  const words = new Map<string, string>([
    ['time_embed', `time_embed ${time_embed.channels} -> ${time_embed.hidden}`],
    ['label_emb', `${num_classes} classes`],
    ['out', `${pool ? `${pool.type} pool` : 'head'} ${head.channels} -> ${out_channels}`],
    ...blocks.flatMap(({ layers }) => layers.map(({ path, layer }) => [path, toldLayer(layer)] as const)),
  ]);
  const { moduleOf } = namingOf(graph.naming);
  return new Map(
    graphModules(graph).flatMap(({ path, parameters }) =>
      parameters.map(({ name }) => [moduleOf(name), words.get(path)!] as const),
    ),
  );
}
