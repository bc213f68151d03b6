// Winograd's F(m x m, 3 x 3): (m + 2)^2 products of one multiplication instead of m^2 times 9, at the price of two
// transforms and of some more rounding. Source: Lavin and Gray 2016, arXiv:1509.09308.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { ConvGroup, Home, WinogradTile } from '../schedule.ts';
import { extentOf, quadsOf } from '../values.ts';

/**
 * Bytes of the planes that are computed at once, at the most. A larger batch is computed in parts, so that the choice depends
 * on one sample alone and every adapter can bind the planes.
 */
const MOST_BYTES = 64 * 2 ** 20;

/**
 * Bytes of planes that a processor's caches keep until the next dispatch reads them: parts are no larger, unless one sample
 * is, or there would be very many.
 */
const CACHED_BYTES = 4 * 2 ** 20;
const MOST_PARTS = 16;

/**
 * Samples of a part of a batch, where the planes of one take so many bytes; 0 where these are too many.
 * @param cached bytes that a part should not exceed
 */
export function samplesOfPart(batch: number, bytes: number, cached = CACHED_BYTES): number {
  const wanted = Math.max(1, Math.floor(cached / bytes), Math.ceil(batch / MOST_PARTS));
  return Math.min(batch, wanted, Math.floor(MOST_BYTES / bytes));
}

/** Products of a tile. */
export function planesOf(m: WinogradTile): number {
  return (m + 2) ** 2;
}

/** Tiles of an image; those at the lower and right edges may be part empty. */
export function tilesOf(graph: OpGraph, value: number, m: WinogradTile): number {
  const { height, width } = extentOf(graph, value);
  return Math.ceil(height / m) * Math.ceil(width / m);
}

/**
 * Whether a group is a 3x3 convolution in two dimensions that the algorithm can compute, or a transposed one, which with a
 * stride of one is a convolution by the weights with taps in reverse and inputs and outputs exchanged.
 * @param most bytes that the planes of one sample may take
 * @param upsampled whether a nearest upsampling may be fused in front of it
 */
export function canUseWinograd(
  graph: OpGraph,
  group: ConvGroup,
  m: WinogradTile,
  { most = MOST_BYTES, upsampled = false } = {},
): boolean {
  const node = graph.nodes[group.anchor]!;
  if ((node.op !== 'conv' && node.op !== 'conv_transpose') || group.skip) return false;
  if (group.upsample !== null && !upsampled) return false;
  const [, , ...kernel] = graph.nodes[node.inputs[1]!]!.type.shape;
  const { stride, padding } = node.attrs;
  const plain = kernel.join() === '3,3' && stride.join() === '1,1' && padding.join() === '1,1';
  const sameSize = node.op === 'conv' || node.attrs.output_padding.join() === '0,0';
  return plain && sameSize && bytesAtOnce(graph, group, m) <= most;
}

/**
 * Vectors that the tiles of a quad take in a plane: a multiple of 8 that is no multiple of 16, so that the quads of a tile,
 * which a product reads together, do not fall into one set of a cache.
 */
export function planeRow(tiles: number): number {
  const octets = Math.ceil(tiles / 8);
  return 8 * (octets % 2 === 0 ? octets + 1 : octets);
}

/** Samples whose planes are computed at once: of a GPU, which does not mind where planes stand, as many as may be. */
export function samplesAtOnce(
  graph: OpGraph,
  group: ConvGroup & { readonly home: Home },
  m: WinogradTile,
): number {
  const { batch } = extentOf(graph, group.result);
  const bytes = bytesAtOnce(graph, group, m);
  if (group.home === 'texture') return samplesOfPart(batch, bytes);
  return Math.min(batch, Math.max(1, Math.floor(MOST_BYTES / bytes)));
}

/** Bytes of all planes of one sample's input. */
export function inputPlaneBytes(graph: OpGraph, group: ConvGroup, m: WinogradTile): number {
  const quads = quadsOf(graph, group.sources);
  return planesOf(m) * quads * planeRow(tilesOf(graph, group.anchor, m)) * 16;
}

/** Bytes of all planes of one sample's products. */
export function outputPlaneBytes(graph: OpGraph, group: ConvGroup, m: WinogradTile): number {
  const { quads } = extentOf(graph, group.result);
  return planesOf(m) * quads * planeRow(tilesOf(graph, group.anchor, m)) * 16;
}

function bytesAtOnce(graph: OpGraph, group: ConvGroup, m: WinogradTile): number {
  return Math.max(inputPlaneBytes(graph, group, m), outputPlaneBytes(graph, group, m));
}
