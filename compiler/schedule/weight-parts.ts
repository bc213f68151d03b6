// The gradient of a convolution's weight is a sum over all pixels of all samples, of which there are many where there are few
// weights: parts of it are computed apart, and added up in a fixed order.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { WeightGradientGroup } from './schedule.ts';
import { extentOf } from './values.ts';

export interface WeightParts {
  readonly count: number;
  /** Samples of a part, or parts of a sample where they are 1. */
  readonly samples: number;
  readonly perSample: number;
  /** Pixels of a sample in a part. */
  readonly pixels: number;
}

/** Elements that all parts may hold together, beside those of one: 64 MiB of float32. */
const MOST_ELEMENTS = 2 ** 24;

/** Pixels that a part should have at least, lest the parts be more work to add up than to compute. */
const LEAST_PIXELS = 256;

/** Parts that keep a GPU of many units busy where a weight has one tile. */
const MOST_PARTS = 64;

/** Elements of a weight's gradient that a workgroup computes. */
const TILE = 64 * 64;

/** How the gradient of a group's weight is cut into parts. */
export function weightParts(graph: OpGraph, { result, cotangent }: WeightGradientGroup): WeightParts {
  const { batch: samples, pixels } = extentOf(graph, cotangent);
  const { batch, quads, pixels: taps } = extentOf(graph, result);
  const elements = batch * quads * 4 * taps;
  const tiles = Math.max(1, elements / TILE);
  const wanted = Math.min(
    Math.ceil((4 * MOST_PARTS) / tiles),
    MOST_PARTS,
    Math.floor((samples * pixels) / LEAST_PIXELS),
    Math.floor(MOST_ELEMENTS / elements),
  );
  // one pixel a sample is a linear layer
  const count = pixels === 1 ? 1 : Math.max(1, wanted);
  if (count <= samples) {
    const each = Math.ceil(samples / count);
    return { count: Math.ceil(samples / each), samples: each, perSample: 1, pixels };
  }
  const each = Math.ceil(pixels / Math.ceil(count / samples));
  const perSample = Math.ceil(pixels / each);
  return { count: samples * perSample, samples: 1, perSample, pixels: each };
}

/** Whether a group is the gradient of a linear layer's weight, or computes what that is: one pixel a sample, read as it is. */
export function isLinear(
  graph: OpGraph,
  { result, cotangent, sources, prologue, upsample }: WeightGradientGroup,
): boolean {
  const bare = sources.length === 1 && prologue.length === 0 && upsample === null;
  return bare && [result, cotangent, ...sources].every((id) => extentOf(graph, id).pixels === 1);
}
