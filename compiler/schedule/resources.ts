// What groups read and write: resources, each a buffer or a texture while it is alive, with the bytes it needs. The
// verifier of schedules, transfers, the memory plan and code generation all ask here, and so agree.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { portsOf } from '../opgraph/ports.ts';
import { sizeOf } from '../ops/op.ts';
import { samplesOfSlices, sliceBytes } from './choices/slices.ts';
import { weightPlanes } from './choices/weight-gradient.ts';
import { inputPlaneBytes, outputPlaneBytes, samplesAtOnce } from './choices/winograd.ts';
import { fusedIn } from './groups.ts';
import { type Resource, valueIn } from './resource.ts';
import type {
  ComputeGroup,
  FusedOp,
  GroupKind,
  GroupOf,
  Home,
  Scaled,
  ScheduledConv,
  ScheduledGroup,
  StatisticsTiles,
} from './schedule.ts';
import { statisticsBytes } from './statistics-layout.ts';
import { extentOf, isHalf, nodeOf, resolveView } from './values.ts';
import { weightParts } from './weight-parts.ts';

export {
  homeOfResource,
  type Resource,
  resourceName,
  resourceWords,
  valueIn,
  writtenAs,
} from './resource.ts';

/** Texels of a row of a storage texture; a resource fills rows in the order of its vectors. */
export const TEXTURE_WIDTH = 2048;

/** A resource with its bytes. */
export interface SizedResource {
  readonly resource: Resource;
  readonly bytes: number;
}

/** A value of the graph as it stands in a home. */
export function standingValue(graph: OpGraph, value: number, home: Home): Resource {
  return valueIn(value, home, isHalf(graph, value));
}

/** Bytes of a value in either order: channels are filled up to a multiple of four. Of a mask an element is a bit. */
export function bytesOf(graph: OpGraph, value: number): number {
  const { batch, pixels, quads } = extentOf(graph, value);
  const all = batch * pixels * quads;
  if (graph.nodes[value]!.op === 'dropout_mask') return Math.ceil(all / 32) * 16;
  return all * (isHalf(graph, value) ? 8 : 16);
}

/**
 * What a resource holds that groups compute, where it is not float32: float16, or a mask. What groups prepare for others, such
 * as statistics, is float32 in every model.
 */
export function storedAs(graph: OpGraph, resource: Resource): 'f16' | 'u32' | null {
  if (resource.kind !== 'value') return null;
  if (graph.nodes[resource.value]!.op === 'dropout_mask') return 'u32';
  return isHalf(graph, resource.value) ? 'f16' : null;
}

/** What the host writes before a schedule runs: the images, the labels, and the embedding of the timesteps. */
export function givenTo(graph: OpGraph): readonly SizedResource[] {
  return portsOf(graph).map(({ value }) => activation(graph, value, 'buffer'));
}

/** What the host reads after a schedule has run. */
export function takenFrom(graph: OpGraph): readonly Resource[] {
  return graph.outputs.map(({ value }) => valueIn(resolveView(graph, value).value));
}

/** Every resource that a group reads and another one or the host wrote, with repetition. */
export function readsOf(graph: OpGraph, group: ScheduledGroup): readonly SizedResource[] {
  return defOfGroup(group).reads(graph, group);
}

/**
 * Every resource that a group writes. Planes of Winograd's algorithm and slices are among them, which only dispatches of the
 * same group read.
 */
export function writesOf(graph: OpGraph, group: ScheduledGroup): readonly SizedResource[] {
  return defOfGroup(group).writes(graph, group);
}

interface GroupDef<K extends GroupKind> {
  readonly reads: (graph: OpGraph, group: GroupOf<K>) => readonly SizedResource[];
  readonly writes: (graph: OpGraph, group: GroupOf<K>) => readonly SizedResource[];
}

const plain = { reads: readOfOps, writes: resultOf };

const GROUPS: { readonly [K in GroupKind]: GroupDef<K> } = {
  conv: {
    reads: readOfOps,
    writes: (graph, group) => [
      ...resultOf(graph, group),
      ...planesOf(graph, group),
      ...slicesOf(graph, group),
      ...(group.writes ? [statisticsOf(graph, group.result, group.writes)] : []),
    ],
  },
  map: plain,
  linear: plain,
  norm_gradient: {
    reads: (graph, group) => [
      ...readOfOps(graph, group),
      ...operandsOf(graph, group.through, 'buffer').slice(0, 1), // one row of FiLM, read for both
    ],
    writes: resultOf,
  },
  norm_sums: {
    reads: (graph, group) => [
      ...readOfOps(graph, group),
      ...operandsOf(graph, group.through, 'buffer').slice(0, 1),
    ],
    writes: inBuffer,
  },
  weight_gradient: {
    reads: (graph, group) => [...readOfOps(graph, group), activation(graph, group.cotangent, group.home)],
    writes: (graph, group) => [...inBuffer(graph, group), ...partsOf(graph, group)],
  },
  channel_sum: { reads: readOfOps, writes: inBuffer },
  embedding_gradient: plain,
  scale_shift_gradient: plain,
  batch_sum: plain,
  rows: plain,
  dropout_mask: plain,
  mix: plain,
  cross_entropy: plain,
  cross_entropy_gradient: plain,
  top_k: plain,
  mse: plain,
  mse_gradient: plain,
  variational_bound: plain,
  variational_bound_gradient: plain,
  attention: plain,
  attention_gradient: {
    reads: readOfOps,
    writes: (graph, group) => [...resultOf(graph, group), attentionRowsOf(graph, group)],
  },
  window: plain,
  position_add: plain,
  log_softmax_gradient: plain,
  gather_channels: plain,
  avg_pool: plain,
  upsample_linear: plain,
  embedding: plain,
  statistics: {
    reads: resultOf,
    writes: (graph, { result, writes }) => [statisticsOf(graph, result, writes)],
  },
  merge_statistics: {
    reads: (graph, { result, merges }) => [statisticsOf(graph, result, merges)],
    writes: (graph, { result, writes }) => [statisticsOf(graph, result, writes)],
  },
  affine: {
    reads: (graph, { sources, prologue, reads }) => [
      ...reads.map((tiles, i) => statisticsOf(graph, sources[i]!, tiles)),
      ...operandsOf(graph, prologue, 'buffer'),
    ],
    writes: (graph, { sources, prologue }) => [affineOf(graph, prologue, sources)],
  },
  transfer: {
    reads: (graph, { result, home }) => [activation(graph, result, home === 'buffer' ? 'texture' : 'buffer')],
    writes: resultOf,
  },
};

function defOfGroup<K extends GroupKind>({ kind }: { readonly kind: K }): GroupDef<K> {
  return GROUPS[kind];
}

function resultOf(graph: OpGraph, { result, home }: { readonly result: number; readonly home: Home }) {
  return [activation(graph, result, home)];
}

/** Sums are few: they stand in a buffer, wherever what is summed stands. */
function inBuffer(graph: OpGraph, { result }: { readonly result: number }) {
  return [activation(graph, result, 'buffer')];
}

/** Each part of a weight's gradient is as large as the whole; Winograd's algorithm has planes instead. */
function partsOf(graph: OpGraph, group: GroupOf<'weight_gradient'>): readonly SizedResource[] {
  const value = group.result;
  if (group.winograd !== null) {
    const { input, cotangent } = weightPlanes(graph, group, group.winograd);
    return [
      { resource: { kind: 'input_planes', value, home: group.home }, bytes: input },
      { resource: { kind: 'cotangent_planes', value }, bytes: cotangent },
    ];
  }
  const { count } = weightParts(graph, group);
  if (count === 1) return [];
  return [{ resource: { kind: 'parts', value }, bytes: count * bytesOf(graph, group.result) }];
}

function readOfOps(graph: OpGraph, group: ComputeGroup): readonly SizedResource[] {
  const { home, sources } = group;
  const { prologue, skip, epilogue } = fusedIn(group);
  const scaled =
    group.kind === 'conv' ||
    group.kind === 'map' ||
    group.kind === 'avg_pool' ||
    group.kind === 'weight_gradient';
  const { affine, reads }: Scaled = scaled ? group : UNSCALED;
  const loaded = [...sources, ...(skip?.sources ?? [])].map((id) => activation(graph, id, home));
  // what an affine group has computed of a time projection, its reader does not read again
  const own = affine ? [...masksOf(graph, prologue), ...epilogue] : [...prologue, ...epilogue];
  return [
    ...loaded,
    ...operandsOf(graph, own, home),
    ...reads.map((tiles, i) => statisticsOf(graph, sources[i]!, tiles)),
    ...(affine ? [affineOf(graph, prologue, sources)] : []),
  ];
}

const UNSCALED: Scaled = { affine: false, reads: [] };

/** What fused ops read: time projections are rows of a linear layer's result, which stays in a buffer, as masks do. */
function operandsOf(graph: OpGraph, ops: readonly FusedOp[], home: Home): readonly SizedResource[] {
  return ops.flatMap(({ node, operand }) =>
    operand ? [activation(graph, operand.value, staysInBuffer(graph, node) ? 'buffer' : home)] : [],
  );
}

/** Whether a fused op reads a time projection or a mask. */
function staysInBuffer(graph: OpGraph, node: number): boolean {
  const { op } = graph.nodes[node]!;
  return op === 'film' || op === 'film_gradient' || op === 'channel_add' || op === 'apply_mask';
}

function masksOf(graph: OpGraph, ops: readonly FusedOp[]): readonly FusedOp[] {
  return ops.filter(({ node }) => graph.nodes[node]!.op === 'apply_mask');
}

/** Largest score, reciprocal sum and mean of each query of each head, a vector each. */
function attentionRowsOf(graph: OpGraph, { anchor, result }: GroupOf<'attention_gradient'>): SizedResource {
  const { heads } = nodeOf(graph, anchor, 'attention_gradient').attrs;
  const { batch, pixels } = extentOf(graph, result);
  return { resource: { kind: 'attention_rows', value: result }, bytes: batch * heads * pixels * 16 };
}

/** Whole numbers that the host gives fill whole vectors, all other values are activations or masks. */
function activation(graph: OpGraph, value: number, home: Home): SizedResource {
  const { op, type } = graph.nodes[value]!;
  const given = type.dtype === 'u32' && op === 'input';
  const bytes = given ? Math.ceil(sizeOf(type.shape) / 4) * 16 : bytesOf(graph, value);
  return { resource: standingValue(graph, value, home), bytes };
}

function planesOf(graph: OpGraph, group: ScheduledConv): readonly SizedResource[] {
  const { winograd, result, home } = group;
  if (!winograd) return [];
  const samples = samplesAtOnce(graph, group, winograd);
  const input = samples * inputPlaneBytes(graph, group, winograd);
  const output = samples * outputPlaneBytes(graph, group, winograd);
  return [
    { resource: { kind: 'input_planes', value: result, home }, bytes: input },
    { resource: { kind: 'output_planes', value: result }, bytes: output },
  ];
}

/** Slices of the inner dimension, of so many samples as are computed at once. */
function slicesOf(graph: OpGraph, group: ScheduledConv): readonly SizedResource[] {
  const { result, slices } = group;
  if (slices === 1) return [];
  const bytes = samplesOfSlices(graph, group) * slices * sliceBytes(graph, group);
  return [{ resource: { kind: 'parts', value: result }, bytes }];
}

function statisticsOf(graph: OpGraph, value: number, tiles: StatisticsTiles): SizedResource {
  const resource = { kind: 'statistics', value, merged: tiles.merged } as const;
  return { resource, bytes: statisticsBytes(graph, value, tiles) };
}

/** Scale and shift of all channels of the sources that a norm or FiLM is applied to. */
function affineOf(graph: OpGraph, [first]: readonly FusedOp[], sources: readonly number[]): SizedResource {
  const bytes = sources.reduce((sum, value) => {
    const { batch, quads } = extentOf(graph, value);
    return sum + batch * quads * 32;
  }, 0);
  return { resource: { kind: 'affine', node: first!.node }, bytes };
}
