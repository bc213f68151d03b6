// Holds a checkpoint against a graph and says what does not fit in the graph's terms: the options that would differ,
// then layer by layer what the graph has and what the checkpoint has.

import { GraphError } from '../diagnostics.ts';
import type { Graph } from '../graph/graph.ts';
import { parameters } from '../graph/parameters.ts';
import type { Json } from '../spec/json.ts';
import { type InferResult, inferGraph } from './infer.ts';
import { findMisfits, type Misfit, pathOf, toldLayer } from './misfits.ts';
import { groupTensors, type Tensors } from './tensors.ts';
import type { Undetermined } from './undetermined.ts';

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
  /** Null where the checkpoint is of no graph of the family, or one of the two is made by no keyword arguments. */
  readonly options: readonly DifferentOption[] | null;
  readonly layers: readonly DifferentLayer[];
  /** Settings of the graph that no shape can confirm. */
  readonly undetermined: readonly Undetermined[];
}

/** Never throws on a graph that was checked. */
export function checkTensors(graph: Graph, tensors: Tensors): CheckReport {
  const { all, prefix } = groupTensors(tensors);
  const misfits = findMisfits(graph, all);
  const own = inferGraph(new Map(parameters(graph).map(({ name, shape }) => [name, shape])));
  const other = misfits.length === 0 ? own : inferred(all);
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

function inferred(tensors: Tensors): InferResult | null {
  try {
    return inferGraph(tensors);
  } catch (error) {
    if (error instanceof GraphError) return null;
    throw error;
  }
}

/** The keyword arguments that differ, and what stands beside them; guesses are the same on both sides or left out. */
function compareOptions(a: InferResult['spec'], b: InferResult['spec']): readonly DifferentOption[] | null {
  if (!('unet' in a && 'unet' in b)) return null;
  const flat = (spec: InferResult['spec']): Readonly<Record<string, Json>> => ({
    ...(spec.unet as Readonly<Record<string, Json>>),
    super_resolution: 'super_resolution' in spec,
  });
  const [left, right] = [flat(a), flat(b)];
  return Object.keys(left)
    .filter((key) => !['num_heads', 'dropout'].includes(key))
    .filter((key) => JSON.stringify(left[key]) !== JSON.stringify(right[key]))
    .map((option) => ({ option, graph: left[option]!, checkpoint: right[option]! }));
}

function compareLayers(
  graph: Graph,
  other: Graph | null,
  misfits: readonly Misfit[],
  tensors: Tensors,
): readonly DifferentLayer[] {
  const present = new Set([...tensors.keys()].map(pathOf));
  const [ours, theirs] = [layersByPath(graph), other && layersByPath(other)];
  const found = new Map<string, Misfit[]>();
  for (const misfit of misfits) {
    const path = pathOf(misfit.name);
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

function layersByPath({ blocks, time_embed, num_classes, head, out_channels }: Graph): Map<string, string> {
  const layers = blocks.flatMap(({ layers }) =>
    layers.map(({ path, layer }) => [path, toldLayer(layer)] as const),
  );
  return new Map([
    ['time_embed', `time_embed ${time_embed.channels} -> ${time_embed.hidden}`],
    ...(num_classes === null ? [] : [['label_emb', `${num_classes} classes`] as const]),
    ...layers,
    ['out', `head ${head.channels} -> ${out_channels}`],
  ]);
}
