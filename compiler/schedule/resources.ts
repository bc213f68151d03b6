// What groups read and write: resources, each a buffer or a texture while it is alive, with the bytes it needs. The
// verifier of schedules, transfers, the memory plan and code generation all ask here, and so agree.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Home, ScheduledGroup, StatisticsTiles } from './schedule.ts';
import { statisticsBytes } from './statistics-layout.ts';
import { extentOf, isHalf, resolveView } from './values.ts';
import { inputPlaneBytes, outputPlaneBytes, samplesAtOnce } from './winograd.ts';

export type Resource =
  /** A value of the graph, where it stands. */
  | { readonly kind: 'value'; readonly value: number; readonly home: Home }
  /** Statistics of a value: those of its tiles, or the merged ones. */
  | { readonly kind: 'statistics'; readonly value: number; readonly merged: boolean }
  /** The scale and shift that a norm or FiLM comes to, named by its node. */
  | { readonly kind: 'affine'; readonly node: number }
  /** Winograd's planes of the input of the convolution that computes a value, and of its products. */
  | { readonly kind: 'input_planes'; readonly value: number }
  | { readonly kind: 'output_planes'; readonly value: number };

/** A resource with its bytes. */
export interface SizedResource {
  readonly resource: Resource;
  readonly bytes: number;
}

type ResourceKind = Resource['kind'];
type ResourceOf<K extends ResourceKind> = Extract<Resource, { kind: K }>;

interface ResourceDef<K extends ResourceKind> {
  readonly home: (resource: ResourceOf<K>) => Home;
  /** Its name in memory plans, such as `v12`. */
  readonly name: (resource: ResourceOf<K>) => string;
  /** What it is, for messages. */
  readonly words: (resource: ResourceOf<K>) => string;
}

const RESOURCES: { readonly [K in ResourceKind]: ResourceDef<K> } = {
  value: {
    home: ({ home }) => home,
    name: ({ value, home }) => `${home === 'texture' ? 'x' : 'v'}${value}`,
    words: ({ value, home }) => `%${value} in a ${home}`,
  },
  statistics: {
    home: () => 'buffer',
    name: ({ value, merged }) => `${merged ? 'm' : 's'}${value}`,
    words: ({ value, merged }) => `${merged ? 'merged ' : ''}statistics of %${value}`,
  },
  affine: {
    home: () => 'texture',
    name: ({ node }) => `a${node}`,
    words: ({ node }) => `scale and shift of %${node}`,
  },
  input_planes: {
    home: () => 'texture',
    name: ({ value }) => `t${value}`,
    words: ({ value }) => `transformed input of %${value}`,
  },
  output_planes: {
    home: () => 'texture',
    name: ({ value }) => `p${value}`,
    words: ({ value }) => `products of %${value}`,
  },
};

function defOf<K extends ResourceKind>({ kind }: { readonly kind: K }): ResourceDef<K> {
  return RESOURCES[kind];
}

/** Whether a resource is a buffer or a texture. */
export function homeOfResource(resource: Resource): Home {
  return defOf(resource).home(resource);
}

/**
 * The name of a resource, the same for equal ones: `v12` a value in a buffer, `x12` one in a texture, `s12` its
 * statistics, `m12` its merged statistics, `a12` the scale and shift that norm or FiLM 12 comes to, `t12` and `p12` the
 * planes of input and products of the convolution that computes value 12 by Winograd's algorithm.
 */
export function resourceName(resource: Resource): string {
  return defOf(resource).name(resource);
}

/** What a resource is, in words. */
export function resourceWords(resource: Resource): string {
  return defOf(resource).words(resource);
}

/** A value in a buffer, or where it is said to stand. */
export function valueIn(value: number, home: Home = 'buffer'): Resource {
  return { kind: 'value', value, home };
}

/** Bytes of a value in channels-last storage: channels are filled up to a multiple of four. */
export function bytesOf(graph: OpGraph, value: number): number {
  const { batch, pixels, quads } = extentOf(graph, value);
  return batch * pixels * quads * (isHalf(graph, value) ? 8 : 16);
}

/** What the host writes before a schedule runs: the images, the labels, and the embedding of the timesteps. */
export function givenTo(graph: OpGraph): readonly SizedResource[] {
  return graph.nodes.flatMap((node, id) => {
    const given =
      node.op === 'timestep_embedding' || (node.op === 'input' && node.attrs.name !== 'timesteps');
    return given ? [activation(graph, id, 'buffer')] : [];
  });
}

/** What the host reads after a schedule has run. */
export function takenFrom(graph: OpGraph): readonly Resource[] {
  return graph.outputs.map(({ value }) => valueIn(resolveView(graph, value).value));
}

/** Every resource that a group reads and another one or the host wrote, with repetition. */
export function readsOf(graph: OpGraph, group: ScheduledGroup): readonly SizedResource[] {
  const { sources, result } = group;
  const statistics = group.reads.map((tiles, i) => statisticsOf(graph, sources[i]!, tiles));
  const operands = [...group.prologue, ...group.epilogue].flatMap(({ node, operand }) => {
    if (!operand) return [];
    const projection = graph.nodes[node]!.op !== 'add';
    // what an affine group has computed of a time projection, its reader does not read again
    if (projection && group.affine && group.prologue.some((op) => op.node === node)) return [];
    return [activation(graph, operand.value, projection ? 'buffer' : group.home)];
  });
  switch (group.kind) {
    case 'transfer':
      return [activation(graph, result, group.home === 'buffer' ? 'texture' : 'buffer')];
    case 'affine':
      return [...statistics, ...operands];
    case 'merge_statistics':
      return statistics;
    default: {
      const loaded = [...sources, ...(group.skip?.sources ?? [])].map((id) =>
        activation(graph, id, group.home),
      );
      const affine = group.affine ? [affineOf(graph, group.prologue[0]!.node, sources)] : [];
      return [...loaded, ...operands, ...statistics, ...affine];
    }
  }
}

/** Every resource that a group writes; those of them that only its own dispatches read are planes of Winograd's algorithm. */
export function writesOf(graph: OpGraph, group: ScheduledGroup): readonly SizedResource[] {
  const { result } = group;
  if (group.kind === 'affine') return [affineOf(graph, group.anchor, group.sources)];
  const statistics = group.writes ? [statisticsOf(graph, result, group.writes)] : [];
  if (group.kind === 'statistics' || group.kind === 'merge_statistics') return statistics;
  return [activation(graph, result, group.home), ...planesWritten(graph, group), ...statistics];
}

/** Labels fill whole vectors, all other values are activations. */
function activation(graph: OpGraph, value: number, home: Home): SizedResource {
  const { dtype, shape } = graph.nodes[value]!.type;
  const bytes = dtype === 'u32' ? Math.ceil(shape[0]! / 4) * 16 : bytesOf(graph, value);
  return { resource: valueIn(value, home), bytes };
}

function planesWritten(graph: OpGraph, group: ScheduledGroup): readonly SizedResource[] {
  const { winograd, result } = group;
  if (!winograd) return [];
  const samples = samplesAtOnce(graph, group, winograd);
  return [
    {
      resource: { kind: 'input_planes', value: result },
      bytes: samples * inputPlaneBytes(graph, group, winograd),
    },
    {
      resource: { kind: 'output_planes', value: result },
      bytes: samples * outputPlaneBytes(graph, group, winograd),
    },
  ];
}

function statisticsOf(graph: OpGraph, value: number, tiles: StatisticsTiles): SizedResource {
  const resource = { kind: 'statistics', value, merged: tiles.merged } as const;
  return { resource, bytes: statisticsBytes(graph, value, tiles) };
}

/** Scale and shift of all channels of the sources that a norm or FiLM is applied to. */
function affineOf(graph: OpGraph, node: number, sources: readonly number[]): SizedResource {
  const bytes = sources.reduce((sum, value) => {
    const { batch, quads } = extentOf(graph, value);
    return sum + batch * quads * 32;
  }, 0);
  return { resource: { kind: 'affine', node }, bytes };
}
