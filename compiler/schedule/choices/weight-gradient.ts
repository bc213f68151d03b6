// How the gradient of a convolution's weight is computed on a processor: by a product for each tap, or by Winograd's
// algorithm, whose planes of the cotangent and of the input are multiplied over all tiles of all samples. Chosen by cycles as
// they were measured on lavapipe.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { sizeOf } from '../../ops/op.ts';
import type { WeightGradientGroup, WinogradTile } from '../schedule.ts';
import { extentOf, nodeOf, quadsOf } from '../values.ts';
import { planeRow, planesOf, samplesOfPart, tilesOf } from './winograd.ts';

/** Cycles of eight pixels of a tap of 32 channels by 32 channels, and of a tap besides. */
const PIXELS = 2400;
const TAP = 12_000;

/** Cycles of eight tiles of a plane of 32 channels by 32 channels, and of a plane besides, whose products count in the taps. */
const OCTET = 1950;
const PLANE = 6400;

/** Cycles of eight tiles of a quad in the transforms of the input and of the cotangent. */
const INPUT_TRANSFORM: Readonly<Record<WinogradTile, number>> = { 2: 16 * 330, 4: 36 * 330 };
const COTANGENT_TRANSFORM: Readonly<Record<WinogradTile, number>> = { 2: 16 * 300, 4: 36 * 300 };

/**
 * Bytes of planes of the input, or of the cotangent, that are computed at once where one sample has no more: what a second part
 * adds to the products of the first, it loads and stores again, which takes longer than planes that caches have lost.
 */
const PART_BYTES = 16 * 2 ** 20;

const TILES: readonly WinogradTile[] = [2, 4];

/** What Winograd's algorithm keeps for the gradient of a weight. */
export interface WeightPlanes {
  /** Tiles of a sample. */
  readonly tiles: number;
  /** Samples whose planes are computed at once. */
  readonly samples: number;
  /** Bytes of the planes of so many samples' input and cotangent. */
  readonly input: number;
  readonly cotangent: number;
}

export function weightPlanes(
  graph: OpGraph,
  { anchor, sources, cotangent }: WeightGradientGroup,
  m: WinogradTile,
): WeightPlanes {
  const tiles = tilesOf(graph, cotangentOf(graph, anchor), m);
  const quads = quadsOf(graph, sources);
  const g = extentOf(graph, cotangent);
  const bytesOf = (planes: number) => planesOf(m) * planeRow(planes) * 16;
  const samples = samplesOfPart(g.batch, bytesOf(tiles) * Math.max(quads, g.quads), PART_BYTES);
  const each = bytesOf(samples * tiles);
  return { tiles, samples, input: quads * each, cotangent: g.quads * each };
}

/** The cotangent as it is written in the graph: it may have been written in another shape. */
function cotangentOf(graph: OpGraph, anchor: number): number {
  return nodeOf(graph, anchor, 'conv_weight_gradient').inputs[1]!;
}

/** The tile of Winograd's algorithm that takes least, or null where the product for each tap takes no longer. */
export function weightGradientTile(graph: OpGraph, group: WeightGradientGroup): WinogradTile | null {
  const ways = [null, ...TILES.filter((m) => canUseWinograd(graph, group, m))].map((m) => ({
    m,
    cycles: cyclesOf(graph, group, m),
  }));
  return ways.reduce((best, way) => (way.cycles < best.cycles ? way : best)).m;
}

/** Whether the weight is that of a 3x3 convolution in two dimensions whose result is as large as its input. */
function canUseWinograd(graph: OpGraph, group: WeightGradientGroup, m: WinogradTile): boolean {
  const { attrs, inputs } = nodeOf(graph, group.anchor, 'conv_weight_gradient');
  const [x, g] = inputs.map((id) => graph.nodes[id]!.type.shape.slice(2).join());
  const plain =
    attrs.kernel.join() === '3,3' && attrs.stride.join() === '1,1' && attrs.padding.join() === '1,1';
  if (!plain || x !== g || group.upsample !== null || group.prologue.length > 0) return false;
  return weightPlanes(graph, group, m).samples > 0;
}

function cyclesOf(graph: OpGraph, group: WeightGradientGroup, m: WinogradTile | null): number {
  const g = extentOf(graph, group.cotangent);
  const quads = quadsOf(graph, group.sources);
  const blocks = Math.ceil(quads / 8) * Math.ceil(g.quads / 8);
  if (m === null) {
    const { kernel } = nodeOf(graph, group.anchor, 'conv_weight_gradient').attrs;
    return sizeOf(kernel) * blocks * (g.batch * Math.ceil(g.pixels / 8) * PIXELS + TAP);
  }
  const { tiles, samples } = weightPlanes(graph, group, m);
  const parts = Math.ceil(g.batch / samples);
  const transforms =
    g.batch * Math.ceil(tiles / 8) * (quads * INPUT_TRANSFORM[m] + g.quads * COTANGENT_TRANSFORM[m]);
  const plane = parts * (Math.ceil((samples * tiles) / 8) * OCTET + PLANE);
  return planesOf(m) * blocks * plane + transforms;
}
