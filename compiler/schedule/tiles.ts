// Chooses the tile of a product. The choice depends on the sizes of one sample and never on the batch, so that a
// sample is computed by the same sums at every batch size.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Group, Tile } from './schedule.ts';
import { extentOf } from './values.ts';

/** Workgroups a product should have at least, so that a GPU of many units is not left idle. */
const ENOUGH_WORKGROUPS = 32;

/** Tiles that the conv kernel has, largest first. */
const CONV_TILES: readonly Tile[] = [
  { m: 64, n: 64 },
  { m: 32, n: 64 },
  { m: 32, n: 32 },
  { m: 16, n: 32 },
];

/** The largest tile that still gives enough workgroups, else the smallest. */
export function chooseTile(graph: OpGraph, group: Group): Tile | null {
  if (group.kind !== 'conv') return null;
  const { pixels, channels } = extentOf(graph, group.result);
  const workgroups = (tile: Tile) => Math.ceil(pixels / tile.m) * Math.ceil(channels / tile.n);
  const fits = (tile: Tile) => tile.n <= Math.max(32, channels) && workgroups(tile) >= ENOUGH_WORKGROUPS;
  return CONV_TILES.find(fits) ?? CONV_TILES.at(-1)!;
}
