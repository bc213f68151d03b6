// Which convolutions are computed by Winograd's F(2x2, 3x3): 16 products of one multiplication instead of 4 times 9,
// at the price of two transforms and of one more rounding. Source: Lavin and Gray 2016, arXiv:1509.09308.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Target } from '../target.ts';
import type { Group } from './schedule.ts';
import { extentOf } from './values.ts';

/** Products of a tile, and pixels of a tile. */
export const PLANES = 16;
export const TILE_PIXELS = 4;

/**
 * Bytes of the planes that are computed at once. A larger batch is computed in parts, so that the choice depends on one
 * sample alone and every adapter can bind the planes.
 */
const MOST_BYTES = 64 * 2 ** 20;

/** Channels and pixels from which on the transforms cost less than they save. */
const LEAST_CHANNELS = 32;
const LEAST_PIXELS = 64;

/** Whether a group is a 3x3 convolution that pays: on processors, of even sizes, with nothing in front or beside it. */
export function usesWinograd(graph: OpGraph, group: Group, target: Target): boolean {
  const node = graph.nodes[group.anchor]!;
  if (target.products !== 'subgroup' || node.op !== 'conv' || group.skip || group.upsample !== null)
    return false;
  const [source] = group.sources;
  if (group.sources.length !== 1 || group.prologue.length > 0) return false;
  const [outputs = 0, inputs = 0, ...kernel] = graph.nodes[node.inputs[1]!]!.type.shape;
  const plain =
    kernel.join() === '3,3' && node.attrs.stride.join() === '1,1' && node.attrs.padding.join() === '1,1';
  const { height, width, pixels } = extentOf(graph, group.result);
  const even = height % 2 === 0 && width % 2 === 0 && pixels >= LEAST_PIXELS;
  const wide = Math.min(outputs, inputs) >= LEAST_CHANNELS && outputs % 4 === 0 && inputs % 4 === 0;
  const fits = Math.max(planeBytes(graph, source!), planeBytes(graph, group.result)) <= MOST_BYTES;
  return plain && even && wide && fits;
}

/** Samples whose planes are computed at once. */
export function samplesAtOnce(graph: OpGraph, group: Group): number {
  const largest = Math.max(planeBytes(graph, group.sources[0]!), planeBytes(graph, group.result));
  return Math.min(extentOf(graph, group.result).batch, Math.floor(MOST_BYTES / largest));
}

/** Bytes of all planes of one sample: of an input that is transformed, or of the products before they are. */
export function planeBytes(graph: OpGraph, value: number): number {
  const { pixels, quads } = extentOf(graph, value);
  return (pixels / TILE_PIXELS) * PLANES * quads * 16;
}
