// What a convolution is expected to take on a processor that runs shaders: cycles of what its kernels are made of, as
// they were measured on lavapipe (Mesa 25, AVX2, two cores at 3.6 GHz). Only ratios matter for a choice.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { sizeOf } from '../../ops/op.ts';
import type { ConvGroup, Tile, WinogradTile } from '../schedule.ts';
import { extentOf, quadsOf } from '../values.ts';
import { isNormed } from './tuning.ts';
import { planesOf, tilesOf } from './winograd.ts';

/** Cycles a microsecond of all processors together. */
const CYCLES = 7200;

/** Cycles of one step of a product (four inputs), by pixels and channels of a tile. */
const STEP: Readonly<Record<string, number>> = { '8x32': 460, '16x32': 850, '32x32': 1350, '16x64': 1330 };

/** Cycles to write one vector of a tile, and to begin a workgroup. */
const STORE = 300;
const WORKGROUP = 600;

/** Cycles of eight tiles of a quad in an input transform (with norm and silu) and in an output transform. */
const INPUT_TRANSFORM: Readonly<Record<WinogradTile, number>> = { 2: 16 * 290, 4: 36 * 310 };
const OUTPUT_TRANSFORM: Readonly<Record<WinogradTile, number>> = {
  2: 16 * 60 + 4 * 280,
  4: 36 * 65 + 16 * 280,
};

/** Cycles for a quad of eight pixels of a norm that is written before a convolution by taps. */
const NORM = 330;

/** Microseconds of a dispatch beside its work. */
const DISPATCH = 20;

/** Microseconds that one sample of a convolution takes, where so many `samples` share its dispatches. */
export function convMicroseconds(
  graph: OpGraph,
  group: ConvGroup,
  { winograd, tile }: { readonly winograd: WinogradTile | null; readonly tile: Tile },
  samples = 1,
): number {
  const out = extentOf(graph, group.result);
  const quads = quadsOf(graph, group.sources);
  const [, , ...kernel] = graph.nodes[graph.nodes[group.anchor]!.inputs[1]!]!.type.shape;
  if (winograd === null) {
    const product = productCycles(out.pixels, out.channels, quads * sizeOf(kernel), tile);
    // a norm in front of it, which Winograd's input transform would do on the way
    const norm = isNormed(graph, group) ? Math.ceil(out.pixels / 8) * quads * NORM : 0;
    return (product + norm) / CYCLES + (DISPATCH / samples) * (norm > 0 ? 2 : 1);
  }
  const tiles = tilesOf(graph, group.result, winograd);
  const octets = Math.ceil(tiles / 8);
  const product = planesOf(winograd) * productCycles(tiles, out.channels, quads, tile);
  const transforms = octets * (quads * INPUT_TRANSFORM[winograd] + out.quads * OUTPUT_TRANSFORM[winograd]);
  return (product + transforms) / CYCLES + (3 * DISPATCH) / samples;
}

function productCycles(pixels: number, channels: number, steps: number, tile: Tile): number {
  const workgroups = Math.ceil(pixels / tile.m) * Math.ceil(channels / tile.n);
  const stores = tile.m * (tile.n / 32);
  return workgroups * (steps * STEP[`${tile.m}x${tile.n}`]! + stores * STORE + WORKGROUP);
}
