// Statistics of channels for group_norm: who writes them, in how many tiles, and when tiles are merged first.
// A statistic is the mean and the sum of squared deviations (M2) of one channel over one tile of pixels; tiles and
// channels combine without cancellation (Chan, Golub, LeVeque 1979), so a group may straddle a skip concat.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Target } from '../target.ts';
import type { Group, ScheduledGroup, StatisticsTiles } from './schedule.ts';
import { chooseTile } from './tiles.ts';
import { extentOf, nodeOf } from './values.ts';

/** Pixels of a workgroup of Winograd's output transform. */
const WINOGRAD_PIXELS = 64;

/** Pixels of a tile of the kernel that computes statistics of a value that is already written. */
export const STATISTICS_PIXELS = 256;

/**
 * Statistics that each workgroup of a reader may combine for one norm group; more are merged by a dispatch before.
 * On a processor that dispatch costs less than it saves much sooner.
 */
const MAX_COMBINED: Readonly<Record<Target['products'], number>> = { workgroup: 512, subgroup: 64 };

/** The values that some group_norm reads, with the channels of a norm group of the widest reader. */
export function normedValues(graph: OpGraph, groups: readonly Group[]): ReadonlyMap<number, number> {
  const widths = new Map<number, number>();
  for (const group of groups) {
    const norm = normOf(graph, group);
    if (!norm) continue;
    for (const value of group.sources)
      widths.set(value, Math.max(widths.get(value) ?? 0, norm.channels / norm.groups));
  }
  return widths;
}

/** The group_norm in a group's prologue, or null. */
export function normOf(
  graph: OpGraph,
  group: Group,
): {
  readonly node: number;
  readonly channels: number;
  readonly groups: number;
  readonly eps: number;
} | null {
  const first = group.prologue[0];
  if (!first || graph.nodes[first.node]!.op !== 'group_norm') return null;
  const { attrs, type } = nodeOf(graph, first.node, 'group_norm');
  return { node: first.node, channels: type.shape[1]!, groups: attrs.groups, eps: attrs.eps };
}

/**
 * Completes a schedule: groups that compute statistics no producer writes are inserted behind the producers, and
 * groups that merge tiles where a reader would have to combine too many.
 */
export function insertStatistics(
  graph: OpGraph,
  groups: readonly Group[],
  target: Target,
  textures: ReadonlySet<number>,
  isWinograd: (group: Group) => boolean,
): readonly ScheduledGroup[] {
  const normed = normedValues(graph, groups);
  const known = new Map<number, StatisticsTiles>();
  const scheduled: ScheduledGroup[] = [];
  const emit = (
    group: Group,
    tile: ScheduledGroup['tile'],
    writes: StatisticsTiles | null,
    winograd = false,
  ) => {
    const reads = normOf(graph, group) ? group.sources.map((value) => known.get(value)!) : [];
    scheduled.push({ ...group, tile, writes, reads, winograd, texture: textures.has(group.result) });
  };
  const provide = (value: number, from: StatisticsTiles | null) => {
    const width = normed.get(value);
    if (width === undefined) return;
    const { pixels } = extentOf(graph, value);
    let tiles = from;
    if (!tiles) {
      tiles = { count: Math.ceil(pixels / STATISTICS_PIXELS), pixels: STATISTICS_PIXELS, merged: false };
      emit(statisticsGroup('statistics', value), null, tiles);
    }
    if (tiles.count > 1 && tiles.count * width > MAX_COMBINED[target.products]) {
      const merged = { count: 1, pixels, merged: true };
      scheduled.push({
        ...statisticsGroup('merge_statistics', value),
        tile: null,
        writes: merged,
        reads: [tiles],
        winograd: false,
        texture: false,
      });
      tiles = merged;
    }
    known.set(value, tiles);
  };
  graph.nodes.forEach((node, id) => {
    if (node.op === 'input') provide(id, null);
  });
  for (const group of groups) {
    const winograd = isWinograd(group);
    const tile = chooseTile(graph, group, target, winograd);
    const { pixels } = extentOf(graph, group.result);
    const per = winograd ? WINOGRAD_PIXELS : tile?.m;
    const writes =
      group.statistics && per ? { count: Math.ceil(pixels / per), pixels: per, merged: false } : null;
    emit(group, tile, writes, winograd);
    provide(group.result, writes);
  }
  return scheduled;
}

function statisticsGroup(kind: 'statistics' | 'merge_statistics', value: number): Group {
  return {
    kind,
    anchor: value,
    sources: [value],
    upsample: null,
    prologue: [],
    skip: null,
    epilogue: [],
    result: value,
    statistics: false,
  };
}
