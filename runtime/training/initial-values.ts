// Initial values of parameters by Philox: a pure function of the seed, the place of the parameter in its checkpoint, and the
// element.
//
//   key     [seed mod 2^32, floor(seed / 2^32)]
//   counter [block, parameter, 0, weights]      element i is word i mod 4 of block floor(i / 4); the last word tells these
//                                         from the noise of samples, which has 0 there
//
// A word w is the probability (w + 1/2) / 2^32, of which the uniform or the normal quantile is taken.

import { normalQuantile } from '../sampler/normal.ts';
import { philox4x32 } from '../sampler/philox.ts';
import { STREAMS, wordsOf } from '../sampler/streams.ts';

const WORD_RANGE = 2 ** 32;

/** `length` numbers in float32: what each is of its probability says `quantile`. */
export function initialValues(
  seed: number,
  parameter: number,
  length: number,
  quantile: (probability: number) => number,
): Float32Array {
  const key = wordsOf(seed);
  const words = new Uint32Array(4);
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    if (i % 4 === 0) philox4x32([i / 4, parameter, 0, STREAMS.weights], key, words);
    values[i] = quantile((words[i % 4]! + 0.5) / WORD_RANGE);
  }
  return values;
}

/** Between -bound and bound. */
export function uniform(bound: number): (probability: number) => number {
  return (p) => bound * (2 * p - 1);
}

/** Of mean 0. */
export function normal(deviation: number): (probability: number) => number {
  return (p) => deviation * normalQuantile(p);
}
