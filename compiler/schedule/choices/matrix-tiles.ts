// How matrix units tile a convolution: which pixels a workgroup computes, and the patch of input that it stages for them.
// A block has 16 rows a fixed stride apart, so rows of the product are rows of the patch: runs of 16 pixels of an image
// row where its width allows that, else the whole patch in order, with the rows that lie between image rows dropped.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { sizeOf } from '../../ops/op.ts';
import type { MatrixUnits } from '../../target.ts';
import type { ConvGroup } from '../schedule.ts';
import { extentOf, padSpace } from '../values.ts';

/** Rows of a block, and columns: of one matrix, or of several. */
const BLOCK = 16;

/** Rows of a patch that fit the workgroup memory beside the weights, by blocks of rows a workgroup computes. */
const PATCH_ROWS = { 8: 192, 4: 112 } as const;

/** Samples of this many pixels are tiled in large tiles; smaller ones would leave units idle. */
const LARGE_PIXELS = 1024;

/** Workgroups from which on wider tiles pay. */
const ENOUGH_WORKGROUPS = 128;

/** Channels of a tile: which one is taken changes no bit of the result. */
export const NARROWEST = 32;
const WIDTHS = [128, 64, NARROWEST] as const;

export interface MatrixTile {
  /** Output pixels of a tile, across and down, of an output of `grid` pixels. */
  readonly width: number;
  readonly height: number;
  readonly grid: { readonly width: number; readonly height: number };
  /** Channels of a tile. */
  readonly channels: number;
  /** Blocks of 16 rows that the workgroup computes. */
  readonly blocks: 4 | 8;
  /** Rows of the patch from one row of pixels to the next, and blocks that follow each other before it. */
  readonly pitch: number;
  readonly run: number;
  /** Rows of the patch: those in use, and those there is room for. */
  readonly rows: number;
  readonly room: number;
  /** Whether one patch serves all taps; else rows are gathered for each tap. */
  readonly shared: boolean;
}

/**
 * The tile of a convolution, at most as large as the registers of the `units` allow. Of the batch only the channels of a tile
 * depend, which no sum and no statistic sees.
 */
export function matrixTile(graph: OpGraph, group: ConvGroup, units: MatrixUnits): MatrixTile {
  const { pixels, channels, batch } = extentOf(graph, group.result);
  const blocks = pixels >= LARGE_PIXELS ? units.blocks : 4;
  const place = bestPatch(graph, group, blocks) ?? gathered(pixels, blocks);
  const tiles = Math.ceil(place.grid.width / place.width) * Math.ceil(place.grid.height / place.height);
  const widest = Math.max(NARROWEST, Math.ceil(channels / NARROWEST) * NARROWEST);
  const pays = (width: number) =>
    width <= widest &&
    width <= units.channels &&
    tiles * batch * Math.ceil(channels / width) >= ENOUGH_WORKGROUPS;
  return { ...place, blocks, channels: WIDTHS.find(pays) ?? NARROWEST };
}

type Place = Omit<MatrixTile, 'channels' | 'blocks'>;

/** All pixels in one row, and none between them. */
function gathered(pixels: number, blocks: 4 | 8): Place {
  const width = blocks * BLOCK;
  const rows = { pitch: width, run: blocks, rows: width, room: width };
  return { width, height: 1, grid: { width: pixels, height: 1 }, ...rows, shared: false };
}

/** The fewest tiles whose patches have room, of those the smallest; null where too few rows would be of use. */
function bestPatch(graph: OpGraph, group: ConvGroup, blocks: 4 | 8): Place | null {
  const node = graph.nodes[group.anchor]!;
  if (node.op !== 'conv' || node.attrs.stride.some((s) => s !== 1)) return null;
  const kernel = padSpace(graph.nodes[node.inputs[1]!]!.type.shape.slice(2), 1);
  if (sizeOf(kernel) === 1) return null;
  const out = extentOf(graph, group.result);
  const places: Place[] = [];
  for (let width = 1; width <= Math.min(out.width, blocks * BLOCK); width++) {
    if (out.width % width !== 0) continue;
    for (let height = 1; height <= out.height; height++) {
      // statistics take tiles to be full, or whole rows of pixels
      if (out.height % height !== 0 && (width < out.width || out.depth > 1)) continue;
      const place = patchOf(width, height, kernel, blocks);
      if (place) places.push({ ...place, grid: { width: out.width, height: out.depth * out.height } });
    }
  }
  const tiles = ({ width, height, grid }: Place) =>
    Math.ceil(grid.width / width) * Math.ceil(grid.height / height);
  const [best] = places.sort((a, b) => tiles(a) - tiles(b) || a.rows - b.rows);
  const most = Math.min(out.depth * out.height * out.width, blocks * BLOCK);
  return best && best.width * best.height >= most / 4 ? best : null;
}

function patchOf(
  width: number,
  height: number,
  [depth, down, across]: readonly [number, number, number],
  blocks: 4 | 8,
): Omit<Place, 'grid'> | null {
  const pitch = width + across - 1;
  const aligned = width % BLOCK === 0;
  const run = aligned ? width / BLOCK : blocks;
  const used = aligned ? height * run : Math.ceil(((height - 1) * pitch + width) / BLOCK);
  const beginOf = (block: number) => Math.floor(block / run) * pitch + (block % run) * BLOCK;
  const shift = ((depth - 1) * (height + down - 1) + down - 1) * pitch + across - 1;
  const rows = depth * (height + down - 1) * pitch;
  const room = PATCH_ROWS[blocks];
  if (used > blocks || beginOf(blocks - 1) + BLOCK + shift > room || rows > room) return null;
  return { width, height, pitch, run, rows, room, shared: true };
}
