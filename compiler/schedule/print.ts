// The schedule as text: one stable line a group.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { costOf, type GroupCost } from './cost.ts';
import { fusedIn, throughOf } from './groups.ts';
import type { FusedOp, Schedule, ScheduledGroup } from './schedule.ts';
import {
  arenasBehind,
  arenasFrom,
  CHANGES,
  hasGaps,
  kindsOf,
  printChange,
  printUpdate,
  printZeros,
} from './update.ts';

/** One line a group: anchor, what is fused, type, values read and written, cost, path. */
export function printSchedule(schedule: Schedule): string {
  const { graph, groups, update } = schedule;
  const zeros = (i: number) =>
    update === null
      ? []
      : arenasFrom(update, i).flatMap(([arena]) => (hasGaps(arena) ? [printZeros(arena, i)] : []));
  const changes = (i: number) =>
    update === null
      ? []
      : arenasBehind(update, i).flatMap(([arena]) =>
          CHANGES.map((kind) => printChange(update, kind, arena, i)),
        );
  const lines = groups.flatMap((group, i) => [...zeros(i), printGroup(graph, group, i), ...changes(i)]);
  const updates =
    update === null ? [] : kindsOf(update).map((kind, i) => printUpdate(update, kind, groups.length + i));
  return [...lines, ...updates].map((line) => `${line}\n`).join('');
}

/** One line for a group. */
export function printGroup(
  graph: OpGraph,
  group: ScheduledGroup,
  index: number,
  { flops, bytes }: GroupCost = costOf(graph, group),
): string {
  const node = graph.nodes[group.result]!;
  const { upsample, prologue, skip, epilogue } = fusedIn(group);
  const tile = group.kind === 'conv' ? ` ${group.tile.m}x${group.tile.n}` : '';
  const sources = [
    ...('sources' in group ? group.sources : [group.result]),
    ...('cotangent' in group ? [group.cotangent] : []),
  ];
  const parts = [
    `#${String(index).padStart(3, '0')} ${kernelName(graph, group)}${tile}`,
    ...(group.kind === 'conv' && group.slices > 1 ? [`slices[${group.slices}]`] : []),
    ...(upsample === null ? [] : [`upsample[${factorOf(graph, upsample)}]`]),
    ...fusedList(graph, 'prologue', prologue),
    ...fusedList(graph, 'through', throughOf(group)),
    ...(skip ? [`skip[conv ${skip.sources.map((v) => `%${v}`).join(' ')}]`] : []),
    ...fusedList(graph, 'epilogue', epilogue),
    ...(group.kind === 'conv' && group.writes
      ? [`statistics[${group.writes.count}x${group.writes.pixels}]`]
      : []),
    `${node.type.dtype}[${node.type.shape.join(',')}]`,
    `${sources.map((v) => `%${v}`).join(' ')} -> %${group.result}`,
    `${(flops / 1e9).toFixed(3)} GFLOP`,
    `${(bytes / 1e6).toFixed(2)} MB`,
    ...(group.kind === 'conv' && group.reason !== null ? [`chosen[${group.reason}]`] : []),
    `# ${node.path}`,
  ];
  return parts.join('  ');
}

/** What a group is called in listings: its anchor op, or its kind where it has no anchor op of its own. */
export function kernelName(graph: OpGraph, group: ScheduledGroup): string {
  const name = group.kind === 'conv' ? graph.nodes[group.anchor]!.op : group.kind;
  return 'winograd' in group && group.winograd ? `${name} winograd${group.winograd}` : name;
}

function factorOf(graph: OpGraph, id: number): string {
  const node = graph.nodes[id]!;
  return node.op === 'upsample_nearest' ? node.attrs.factor.join('x') : '';
}

function fusedList(graph: OpGraph, title: string, ops: readonly FusedOp[]): readonly string[] {
  return ops.length === 0 ? [] : [`${title}[${ops.map((op) => fusedName(graph, op)).join(', ')}]`];
}

/** An op, behind the pooling or upsampling of what it reads: `avg_pool add`. */
export function fusedName(graph: OpGraph, { node, resampled }: FusedOp): string {
  const { op } = graph.nodes[node]!;
  return resampled === undefined ? op : `${graph.nodes[resampled]!.op} ${op}`;
}
