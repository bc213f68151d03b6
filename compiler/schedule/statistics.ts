// Statistics of channels for group_norm: who writes them, in how many tiles, and when tiles are merged first.
// A statistic is the mean and the sum of squared deviations (M2) of one channel over one tile of pixels; tiles and
// channels combine without cancellation (Chan, Golub, LeVeque 1979), so a group may straddle a skip concat.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { isActivation } from '../ops/activations.ts';
import type { Target } from '../target.ts';
import { plainGroup } from './groups.ts';
import type { Group, ScheduledGroup, StatisticsTiles } from './schedule.ts';
import { homeOf } from './storage.ts';
import { extentOf, nodeOf } from './values.ts';
import { tilesOf as winogradTiles } from './winograd.ts';

/** Tiles of a workgroup of Winograd's output transform. */
const WINOGRAD_TILES = 8;

/** Pixels of a tile of the kernel that computes statistics of a value that is already written. */
export const STATISTICS_PIXELS = 256;

/** Statistics that each workgroup of a reader may combine for one norm group; more are merged by a dispatch before. */
const MAX_COMBINED = 512;

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

/** A group without what `insertStatistics` adds. */
export type ChosenGroup = Omit<ScheduledGroup, 'writes' | 'reads' | 'affine'>;

/**
 * Completes a schedule: groups that compute statistics no producer writes are inserted before the readers, then groups
 * that merge tiles where a reader would have to combine too many, or groups that compute scale and shift once for all
 * workgroups of the reader.
 */
export function insertStatistics(
  graph: OpGraph,
  groups: readonly ChosenGroup[],
  target: Target,
): readonly ScheduledGroup[] {
  const normed = normedValues(graph, groups);
  const counted = target.products === 'subgroup';
  const known = new Map<number, StatisticsTiles>();
  const scheduled: ScheduledGroup[] = [];
  const auxiliary = (group: Group, over: Partial<ScheduledGroup>): void => {
    const plain = { tile: null, winograd: null, reason: null, writes: null, reads: [], affine: false };
    scheduled.push({ ...group, home: homeOf(graph, group, target), ...plain, ...over });
  };
  const tilesOf = (value: number, group: ChosenGroup | null): StatisticsTiles | null => {
    if (!group?.statistics || !group.tile) return null;
    const { pixels } = extentOf(graph, value);
    const each = group.winograd ? WINOGRAD_TILES * group.winograd ** 2 : group.tile.m;
    const count = group.winograd
      ? Math.ceil(winogradTiles(graph, group.anchor, group.winograd) / WINOGRAD_TILES)
      : Math.ceil(pixels / each);
    return { count, pixels: each, merged: false, counted };
  };
  const provide = (value: number, from: StatisticsTiles | null) => {
    const width = normed.get(value);
    if (width === undefined) return;
    const { pixels } = extentOf(graph, value);
    let tiles = from;
    if (!tiles) {
      tiles = {
        count: Math.ceil(pixels / STATISTICS_PIXELS),
        pixels: STATISTICS_PIXELS,
        merged: false,
        counted,
      };
      auxiliary(plainGroup('statistics', value), { writes: tiles });
    }
    if (target.products !== 'subgroup' && tiles.count > 1 && tiles.count * width > MAX_COMBINED) {
      const merged = { count: 1, pixels, merged: true, counted };
      auxiliary(plainGroup('merge_statistics', value), { writes: merged, reads: [tiles] });
      tiles = merged;
    }
    known.set(value, tiles);
  };
  graph.nodes.forEach((node, id) => {
    if (node.op === 'input') provide(id, null);
  });
  for (const group of groups) {
    const { result, prologue, sources } = group;
    const writes = tilesOf(result, group);
    const reads = normOf(graph, group) ? sources.map((value) => known.get(value)!) : [];
    const scaled = prologue.filter(({ node }) => !isActivation(graph.nodes[node]!.op));
    const affine = target.products === 'subgroup' && scaled.length > 0;
    if (affine) {
      const anchor = scaled[0]!.node;
      auxiliary({ ...plainGroup('affine', result), anchor, sources, prologue: scaled }, { reads });
    }
    scheduled.push({ ...group, writes, reads: affine ? [] : reads, affine });
    provide(result, writes);
  }
  return scheduled;
}
