// What a group costs: floating-point operations, and bytes that have to move when every value is read once.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { opDef } from '../ops/index.ts';
import type { OpAttrs, OpName, TensorType } from '../ops/op.ts';
import { sizeOf } from '../ops/op.ts';
import { readsOf } from './groups.ts';
import type { Group, ScheduledGroup } from './schedule.ts';
import { extentOf } from './values.ts';

/** Bytes of a value in channels-last storage: channels are filled up to a multiple of four. */
export function bytesOf(graph: OpGraph, value: number): number {
  const { batch, pixels, quads } = extentOf(graph, value);
  return batch * pixels * quads * 16;
}

/** Bytes of a value's statistics: mean and M2 of each channel of each tile. */
export function statisticsBytes(graph: OpGraph, value: number, tiles: number): number {
  const { batch, quads } = extentOf(graph, value);
  return batch * tiles * quads * 32;
}

/** The nodes that a group computes. */
export function nodesOf(group: Group): readonly number[] {
  const fused = [...group.prologue, ...group.epilogue].map((op) => op.node);
  const own = [
    ...(group.upsample === null ? [] : [group.upsample]),
    ...(group.skip ? [group.skip.conv] : []),
    ...fused,
  ];
  const anchored =
    group.kind === 'statistics' || group.kind === 'merge_statistics' || own.includes(group.anchor);
  return anchored ? own : [group.anchor, ...own];
}

export interface GroupCost {
  readonly flops: number;
  readonly bytes: number;
}

export function costOf(graph: OpGraph, group: ScheduledGroup): GroupCost {
  const flops = nodesOf(group).reduce((sum, id) => sum + nodeFlops(graph, id), 0);
  const params = nodesOf(group).flatMap((id) => graph.nodes[id]!.inputs.filter((i) => isParam(graph, i)));
  const read = readsOf(group).reduce((sum, value) => sum + bytesOf(graph, value), 0);
  const weights = params.reduce((sum, id) => sum + 4 * sizeOf(graph.nodes[id]!.type.shape), 0);
  const statistics = [...group.reads.map((t) => t.count), ...(group.writes ? [group.writes.count] : [])];
  const written =
    group.kind === 'statistics' || group.kind === 'merge_statistics' ? 0 : bytesOf(graph, group.result);
  const tiles = statistics.reduce((sum, count) => sum + statisticsBytes(graph, group.result, count), 0);
  return { flops, bytes: read + weights + written + tiles };
}

/** Whether a value is known when weights are loaded. */
export function isParam(graph: OpGraph, id: number): boolean {
  const { op, inputs } = graph.nodes[id]!;
  return (
    op === 'param' || ((op === 'param_concat' || op === 'cast') && inputs.every((i) => isParam(graph, i)))
  );
}

function nodeFlops(graph: OpGraph, id: number): number {
  const node = graph.nodes[id]!;
  const types = node.inputs.map((i) => graph.nodes[i]!.type);
  return flopsOf(node.op, types, node.attrs);
}

function flopsOf<N extends OpName>(op: N, types: readonly TensorType[], attrs: OpAttrs[N]): number {
  return opDef(op).flops(types, attrs);
}
