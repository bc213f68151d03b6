// Statistics of channels for group_norm: who writes them, in how many tiles, and when tiles are merged first.
// A statistic is the mean and the sum of squared deviations (M2) of one channel over one tile of pixels; tiles and
// channels combine without cancellation (Chan, Golub, LeVeque 1979), so a group may straddle a skip concat.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Backend } from './backends/backend.ts';
import { pixelsOfSum } from './choices/slices.ts';
import { tilesOf as winogradTiles } from './choices/winograd.ts';
import { fusedIn } from './groups.ts';
import type {
  Choice,
  ConvGroup,
  FusionGroup,
  MapGroup,
  PoolGroup,
  Scaled,
  ScheduledGroup,
  StatisticsTiles,
  WeightGradientGroup,
} from './schedule.ts';
import { extentOf, nodeOf } from './values.ts';

/** Tiles of a workgroup of Winograd's output transform. */
const WINOGRAD_TILES = 8;

/** Pixels of a tile of the kernel that computes statistics of a value that is already written. */
export const STATISTICS_PIXELS = 256;

/**
 * Norm groups that a workgroup prepares at once, a thread or more a group. Where a norm has more, each quad of channels
 * combines the statistics of its own groups, all tiles of which are merged by a dispatch before.
 */
export const GROUPS_AT_ONCE = 32;

/** A group_norm, as its readers see it. */
export interface Norm {
  readonly node: number;
  readonly channels: number;
  readonly groups: number;
  readonly eps: number;
}

/** The values that some group_norm reads, with these norms. */
export function normedValues(
  graph: OpGraph,
  groups: readonly FusionGroup[],
): ReadonlyMap<number, readonly Norm[]> {
  const norms = new Map<number, readonly Norm[]>();
  for (const group of groups) {
    const norm = normOf(graph, group);
    if (!norm) continue;
    for (const value of group.sources) norms.set(value, [...(norms.get(value) ?? []), norm]);
  }
  return norms;
}

/** Whether a workgroup that applies a norm would combine more statistics of tiles than `most` for a norm group. */
function combinesTooMany({ channels, groups }: Norm, tiles: number, most: number): boolean {
  return tiles > 1 && (groups > GROUPS_AT_ONCE || tiles * (channels / groups) > most);
}

/** The group_norm in a group's prologue, or null. */
export function normOf(graph: OpGraph, group: FusionGroup | ScheduledGroup): Norm | null {
  const [first] = fusedIn(group).prologue;
  if (!first || graph.nodes[first.node]!.op !== 'group_norm') return null;
  const { attrs, type } = nodeOf(graph, first.node, 'group_norm');
  return { node: first.node, channels: type.shape[1]!, groups: attrs.groups, eps: attrs.eps };
}

/** A group with what was chosen for it. */
export type ChosenGroup =
  | ChosenConv
  | ChosenWeightGradient
  | Exclude<FusionGroup, ConvGroup | WeightGradientGroup>;
export interface ChosenConv extends ConvGroup, Choice {}
export interface ChosenWeightGradient extends WeightGradientGroup, Pick<Choice, 'winograd'> {}
type Prologued = ChosenConv | MapGroup | PoolGroup | ChosenWeightGradient;

/**
 * Completes a schedule: groups that compute statistics no producer writes are inserted before the readers, then groups
 * that merge tiles where a reader would have to combine too many, or groups that compute scale and shift once for all
 * workgroups of the reader.
 */
export function insertStatistics(
  graph: OpGraph,
  groups: readonly ChosenGroup[],
  { home, norms, countedTiles: counted }: Backend,
): readonly ScheduledGroup[] {
  const normed = normedValues(graph, groups);
  const known = new Map<number, StatisticsTiles>();
  const scheduled: ScheduledGroup[] = [];
  const provide = (value: number, from: StatisticsTiles | null) => {
    const readers = normed.get(value);
    if (readers === undefined) return;
    const { pixels } = extentOf(graph, value);
    let tiles = from;
    if (!tiles) {
      const count = Math.ceil(pixels / STATISTICS_PIXELS);
      tiles = { count, pixels: STATISTICS_PIXELS, merged: false, counted };
      const at = home(graph, { kind: 'statistics' });
      scheduled.push({ kind: 'statistics', result: value, home: at, writes: tiles });
    }
    const { count } = tiles;
    if (norms.by === 'reader' && readers.some((norm) => combinesTooMany(norm, count, norms.mostCombined))) {
      const merged = { count: 1, pixels, merged: true, counted };
      scheduled.push({ kind: 'merge_statistics', result: value, merges: tiles, writes: merged });
      tiles = merged;
    }
    known.set(value, tiles);
  };
  const scaledBy = ({ prologue, sources, result }: Prologued): Scaled => {
    const scaling = prologue.filter(({ node }) => {
      const { op } = graph.nodes[node]!;
      return op === 'group_norm' || op === 'film';
    });
    const hasNorm = scaling.some(({ node }) => graph.nodes[node]!.op === 'group_norm');
    const reads = hasNorm ? sources.map((value) => known.get(value)!) : [];
    if (scaling.length === 0 || norms.by === 'reader') return { affine: false, reads };
    scheduled.push({ kind: 'affine', sources, prologue: scaling, reads, result });
    return { affine: true, reads: [] };
  };
  graph.nodes.forEach((node, id) => {
    if (node.op === 'input') provide(id, null);
  });
  for (const group of groups) {
    const placed = { ...group, home: home(graph, group) };
    const writes = placed.kind === 'conv' && placed.statistics ? tilesOf(graph, placed, counted) : null;
    if (placed.kind === 'conv') scheduled.push({ ...placed, ...scaledBy(placed), writes });
    else if (placed.kind === 'map') scheduled.push({ ...placed, ...scaledBy(placed) });
    else if (placed.kind === 'avg_pool') scheduled.push({ ...placed, ...scaledBy(placed) });
    else if (placed.kind === 'weight_gradient') scheduled.push({ ...placed, ...scaledBy(placed) });
    else scheduled.push(placed);
    provide(placed.result, writes);
  }
  return scheduled;
}

/** The tiles of the statistics that a convolution writes: those of its product, of the sum of its slices, or of Winograd's output transform. */
function tilesOf(graph: OpGraph, group: ChosenConv, counted: boolean): StatisticsTiles {
  const { anchor, result, winograd, tile, slices } = group;
  if (winograd === null) {
    const pixels = slices === 1 ? tile.m : pixelsOfSum(graph, group);
    const count = Math.ceil(extentOf(graph, result).pixels / pixels);
    return { count, pixels, merged: false, counted };
  }
  if (!counted) {
    // a row of tiles: the pixels of so many rows of the image
    const { height, width } = extentOf(graph, result);
    return { count: Math.ceil(height / winograd), pixels: winograd * width, merged: false, counted };
  }
  const count = Math.ceil(winogradTiles(graph, anchor, winograd) / WINOGRAD_TILES);
  return { count, pixels: WINOGRAD_TILES * winograd ** 2, merged: false, counted };
}
