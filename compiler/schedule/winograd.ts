// Which convolutions are computed by Winograd's F(2x2, 3x3): 16 products of one multiplication instead of 4 times 9,
// at the price of two transforms and of one more rounding. Source: Lavin and Gray 2016, arXiv:1509.09308.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Target } from '../target.ts';
import { bytesOf } from './cost.ts';
import type { Group } from './schedule.ts';
import { TEXTURE_WIDTH } from './storage.ts';
import { extentOf } from './values.ts';

/** Products of a tile, and pixels of a tile. */
export const PLANES = 16;
export const TILE_PIXELS = 4;

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
  const fits = transformedBytes(graph, source!) <= TEXTURE_WIDTH * target.limits.maxTextureDimension2D * 16;
  return plain && even && wide && fits;
}

/** Bytes of all planes of a value: an input that is transformed, or the products before they are. */
export function transformedBytes(graph: OpGraph, value: number): number {
  return (bytesOf(graph, value) / TILE_PIXELS) * PLANES;
}
