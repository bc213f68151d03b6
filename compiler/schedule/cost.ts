// What a group costs: floating-point operations, and bytes that have to move when every value is read once.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { opDef } from '../ops/index.ts';
import type { OpAttrs, OpName, TensorType } from '../ops/op.ts';
import { sizeOf } from '../ops/op.ts';
import { bytesOf, readsOf, statisticsBytes } from './resources.ts';
import type { Group, ScheduledGroup } from './schedule.ts';
import { isParam } from './values.ts';

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
  const read = readsOf(graph, group).reduce(
    (sum, { resource }) => sum + (resource.kind === 'value' ? bytesOf(graph, resource.value) : 0),
    0,
  );
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
