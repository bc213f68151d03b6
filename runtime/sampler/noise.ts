// The noise of a sample: a pure function of (seed, step, element), so that neither batch, order nor machine
// changes an image.
//
// Philox4x32-10 (philox.ts) is keyed by the seed and counts elements and steps; element i is word i mod 4 of block
// floor(i / 4), made normal by the inverse distribution function (normal.ts) at (word + 1/2) / 2^32.
//
//   key     [seed mod 2^32, floor(seed / 2^32)]
//   counter [block, step, 0, 0]      step: index of the (respaced) process that the noise is drawn at,
//                                    or 0xffffffff for x_T
//   counter [block, t, n, bound]     of the bound's terms: t the timestep of training, n the image's place in its data
//
// Elements count row-major through one sample, [C, ...space].

import { normalQuantile } from './normal.ts';
import { philox4x32, type Words4 } from './philox.ts';
import { STREAMS, wordsOf } from './streams.ts';

/** The step of the noise that a chain starts from; no process is that long. */
export const INITIAL_STEP = 0xffffffff;

/** The largest seed: every whole number up to it has its own noise. */
export const LARGEST_SEED = Number.MAX_SAFE_INTEGER;

const WORD_RANGE = 2 ** 32;

/**
 * Standard normal noise of one sample, float32.
 * @param seed a whole number, 0 to `LARGEST_SEED`
 * @param step index of the process, or `INITIAL_STEP`
 * @param length number of elements
 */
export function normalNoise(seed: number, step: number, length: number): Float32Array {
  return normals(seed, [step, 0, STREAMS.noise], length);
}

/**
 * Standard normal noise of an image's term of the bound: the same whatever the process leaves out, the batch and the shard.
 * @param timestep of the training process
 * @param place of the image in its data, below 2^32
 */
export function boundNoise(seed: number, timestep: number, place: number, length: number): Float32Array {
  return normals(seed, [timestep, place, STREAMS.bound], length);
}

/** @param stream the last three words of the counter */
function normals(seed: number, stream: readonly [number, number, number], length: number): Float32Array {
  const key = wordsOf(seed);
  const words = new Uint32Array(4);
  const noise = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    if (i % 4 === 0) philox4x32([i / 4, ...stream] satisfies Words4, key, words);
    noise[i] = normalQuantile((words[i % 4]! + 0.5) / WORD_RANGE);
  }
  return noise;
}
