// What a group costs: floating-point operations, and bytes that have to move when every value is read once.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { opDef } from '../ops/index.ts';
import type { OpAttrs, OpName, TensorType } from '../ops/op.ts';
import { sizeOf } from '../ops/op.ts';
import type { Group, ScheduledGroup, StatisticsTiles } from './schedule.ts';
import { valuesRead } from './storage.ts';
import { extentOf, isHalf, isParam } from './values.ts';

/** Bytes of a value in channels-last storage: channels are filled up to a multiple of four. */
export function bytesOf(graph: OpGraph, value: number): number {
  const { batch, pixels, quads } = extentOf(graph, value);
  return batch * pixels * quads * (isHalf(graph, value) ? 8 : 16);
}

/** Bytes of a value's statistics: mean and M2 of each channel of each tile, and where `counted` its pixels. */
export function statisticsBytes(graph: OpGraph, value: number, { count, counted }: StatisticsTiles): number {
  const { batch, quads } = extentOf(graph, value);
  return batch * count * quads * (counted ? 48 : 32);
}

/** Bytes of the scale and shift of all channels that a group reads. */
export function affineBytes(graph: OpGraph, group: Group): number {
  return group.sources.reduce((sum, value) => {
    const { batch, quads } = extentOf(graph, value);
    return sum + batch * quads * 32;
  }, 0);
}

/** The nodes that a group computes. */
export function nodesOf(group: Group): readonly number[] {
  if (isAuxiliary(group)) return [];
  const fused = [...group.prologue, ...group.epilogue].map((op) => op.node);
  const own = [
    ...(group.upsample === null ? [] : [group.upsample]),
    ...(group.skip ? [group.skip.conv] : []),
    ...fused,
  ];
  return own.includes(group.anchor) ? own : [group.anchor, ...own];
}

/** Whether a group computes no op: it prepares what another one needs. */
export function isAuxiliary({ kind }: Group): boolean {
  return kind === 'statistics' || kind === 'merge_statistics' || kind === 'affine' || kind === 'transfer';
}

export interface GroupCost {
  readonly flops: number;
  readonly bytes: number;
}

export function costOf(graph: OpGraph, group: ScheduledGroup): GroupCost {
  const flops = nodesOf(group).reduce((sum, id) => sum + nodeFlops(graph, id), 0);
  const params = nodesOf(group).flatMap((id) => graph.nodes[id]!.inputs.filter((i) => isParam(graph, i)));
  const read = valuesRead(graph, group).reduce((sum, { value }) => sum + bytesOf(graph, value), 0);
  const weights = params.reduce((sum, id) => sum + typeBytes(graph.nodes[id]!.type), 0);
  const statistics = [...group.reads, ...(group.writes ? [group.writes] : [])];
  const written = isAuxiliary(group) && group.kind !== 'transfer' ? 0 : bytesOf(graph, group.result);
  const tiles = statistics.reduce((sum, tile) => sum + statisticsBytes(graph, group.result, tile), 0);
  return { flops, bytes: read + weights + written + tiles };
}

function typeBytes({ dtype, shape }: TensorType): number {
  return (dtype === 'f16' ? 2 : 4) * sizeOf(shape);
}

function nodeFlops(graph: OpGraph, id: number): number {
  const node = graph.nodes[id]!;
  const types = node.inputs.map((i) => graph.nodes[i]!.type);
  return flopsOf(node.op, types, node.attrs);
}

function flopsOf<N extends OpName>(op: N, types: readonly TensorType[], attrs: OpAttrs[N]): number {
  return opDef(op).flops(types, attrs);
}
