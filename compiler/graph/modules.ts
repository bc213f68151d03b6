// Everything in a graph that has parameters, with its names and its meaning: the layers, and what stands beside the blocks.

import { last } from '../diagnostics.ts';
import { namingOf } from '../families/namings.ts';
import { type FactOf, factsOf } from '../layers/fact.ts';
import { type Besides, besideDef, type LayerOf, type LayerType, layerDef } from '../layers/index.ts';
import type { ModuleDef } from '../layers/layer.ts';
import { type ModuleNames, parameterName } from '../layers/naming.ts';
import type { ModelSizes, Parameter } from '../layers/part.ts';
import { layerOutChannels } from '../layers/queries.ts';
import { createScope, type SharedScope } from '../layers/scope.ts';
import { sizeOf } from '../ops/op.ts';
import type { Graph, PlacedLayer } from './graph.ts';

/** A parameter with its part and tensor (`conv1.weight`), which are the same under every naming. */
export interface ModuleParameter extends Parameter {
  readonly key: string;
}

/** One layer, or one of the parts beside the blocks. */
export interface GraphModule {
  /** The place of a layer (`input_blocks.3.0`), `time_embed`, `label_emb` or `out`: what the paths of its ops begin with. */
  readonly path: string;
  /** In checkpoint order. */
  readonly parameters: readonly ModuleParameter[];
  readonly facts: readonly FactOf[];
  /** Adds its ops, reading the value `x`, and returns the id of its result. */
  lower(shared: SharedScope, x: number): number;
}

/** All modules in the order in which the original UNetModel registers them. */
export function graphModules(graph: Graph): readonly GraphModule[] {
  return [
    timeEmbedModule(graph),
    ...[labelEmbModule(graph)].filter((module) => module !== null),
    ...graph.blocks.flatMap(({ layers }) => layers.map((placed) => layerModule(graph, placed))),
    headModule(graph),
  ];
}

/** What all modules of a graph depend on. */
export function modelSizes({ dims, time_embed }: Pick<Graph, 'dims' | 'time_embed'>): ModelSizes {
  return { dims, hidden: time_embed.hidden };
}

/** A layer in its place. */
export function layerModule(graph: Graph, { layer, path, prefix }: PlacedLayer): GraphModule {
  const of = <T extends LayerType>(type: T, value: LayerOf<T>): GraphModule =>
    moduleOf(layerDef(type), value, { path, prefix, parts: namingOf(graph.naming).parts[type] }, graph);
  return of(layer.type, layer);
}

export function timeEmbedModule(graph: Graph): GraphModule {
  return besideModule(graph, 'time_embed', graph.time_embed);
}

/** The label embedding of a class-conditional model; null without classes. */
export function labelEmbModule(graph: Graph): GraphModule | null {
  const { num_classes, time_embed } = graph;
  if (num_classes === null) return null;
  return besideModule(graph, 'label_emb', { classes: num_classes, hidden: time_embed.hidden });
}

/** The head, or the pool of a classifier. */
export function headModule(graph: Graph): GraphModule {
  const { head, pool, blocks, out_channels } = graph;
  if (pool === null) return besideModule(graph, 'out', { ...head, out_channels });
  const of = <K extends keyof Besides>(key: K, value: Besides[K]) => besideModule(graph, key, value, 'out');
  const row = { ...head, classes: out_channels };
  switch (pool.type) {
    case 'adaptive':
      return of('adaptive_pool', row);
    case 'attention': {
      const positions = sizeOf(last(last(blocks).layers).out_size);
      return of('attention_pool', { ...row, head_channels: pool.head_channels, positions });
    }
    case 'spatial':
      return of('spatial_pool', { channels: pooledChannels(graph), classes: out_channels });
    case 'spatial_v2':
      return of('spatial_pool_v2', { ...row, channels: pooledChannels(graph) });
  }
}

/** Channels of all blocks together, which the spatial pools read. */
function pooledChannels({ blocks }: Graph): number {
  return blocks.reduce((sum, { layers }) => sum + layerOutChannels(last(layers).layer), 0);
}

function besideModule<K extends keyof Besides>(
  graph: Graph,
  key: K,
  value: Besides[K],
  path: string = key,
): GraphModule {
  const { parts, besides } = namingOf(graph.naming);
  return moduleOf(besideDef(key), value, { path, prefix: besides[key], parts: parts[key] }, graph);
}

function moduleOf<M extends object, P extends string>(
  def: ModuleDef<M, P>,
  module: M,
  names: ModuleNames<P>,
  graph: Graph,
): GraphModule {
  const model = modelSizes(graph);
  const tensors = def.parameters(module, model);
  return {
    path: names.path,
    parameters: tensors.map((t) => ({
      key: `${t.part}.${t.tensor}`,
      name: parameterName(names, t),
      shape: t.shape,
    })),
    facts: factsOf(module, def.facts),
    lower: (shared, x) => def.lower(module, createScope(shared, { model, names, tensors }), x),
  };
}
