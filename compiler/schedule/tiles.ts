// Chooses the tile of a product. The choice depends on the sizes of one sample and never on the batch, so that a
// sample is computed by the same sums at every batch size.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Target } from '../target.ts';
import type { Group, Tile } from './schedule.ts';
import { type Extent, extentOf } from './values.ts';

/** Workgroups a product should have at least, so that a GPU of many units is not left idle. */
const ENOUGH_WORKGROUPS = 32;

/** Tiles of the workgroup kernel, largest first. */
const WORKGROUP_TILES: readonly Tile[] = [
  { m: 64, n: 64 },
  { m: 32, n: 64 },
  { m: 32, n: 32 },
  { m: 16, n: 32 },
];

/** Tiles of the subgroup kernel: 64 sums a lane fit its registers and the first cache. */
const SUBGROUP_TILES: readonly Tile[] = [
  { m: 16, n: 32 },
  { m: 8, n: 32 },
];

/** The tile of a convolution on a target, null for other groups. */
export function chooseTile(graph: OpGraph, group: Group, target: Target, winograd: boolean): Tile | null {
  if (group.kind !== 'conv') return null;
  const extent = extentOf(graph, group.result);
  // the products of Winograd's transform go over tiles of four pixels
  const pixels = winograd ? extent.pixels / 4 : extent.pixels;
  return target.products === 'subgroup' ? subgroupTile(pixels) : workgroupTile(extent);
}

/** The largest tile that still gives enough workgroups, else the smallest. */
function workgroupTile({ pixels, channels }: Extent): Tile {
  const workgroups = (tile: Tile) => Math.ceil(pixels / tile.m) * Math.ceil(channels / tile.n);
  const fits = (tile: Tile) => tile.n <= Math.max(32, channels) && workgroups(tile) >= ENOUGH_WORKGROUPS;
  return WORKGROUP_TILES.find(fits) ?? WORKGROUP_TILES.at(-1)!;
}

/** The largest tile that no image is smaller than. */
function subgroupTile(pixels: number): Tile {
  return SUBGROUP_TILES.find((tile) => tile.m <= pixels) ?? SUBGROUP_TILES.at(-1)!;
}
