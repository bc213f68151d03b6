// What held-out images are noised by, the same whenever a loss of them is computed: pure functions of the run's seed and an
// image's place in the data, from a stream that training draws nothing of.
//
//   noise     counter [block, 0, image, held out]     element i is word i mod 4 of block ⌊i / 4⌋, as that of training
//   timestep  ⌊T frac(u + image φ)⌋, u = word 0 of [0, 1, 0, held out] / 2^32, φ the golden ratio: any number of images in a
//             row is spread evenly over the process, whatever the order of their classes (Weyl's sequence)

import { philox4x32 } from '../sampler/philox.ts';
import { STREAMS, wordsOf } from '../sampler/streams.ts';
import { drawNoise } from './training-noise.ts';

const GOLDEN_RATIO = (1 + Math.sqrt(5)) / 2;

/** Standard normal noise of images by their places, one after the other, float32. @param length elements of an image */
export function heldOutNoise(seed: number, images: readonly number[], length: number): Float32Array {
  const noise = new Float32Array(images.length * length);
  for (const [k, image] of images.entries()) {
    drawNoise(noise.subarray(k * length, (k + 1) * length), seed, [0, image, STREAMS.held_out]);
  }
  return noise;
}

/** The timestep of each of the images, below `steps`. */
export function heldOutTimesteps(seed: number, images: readonly number[], steps: number): Int32Array {
  const words = new Uint32Array(4);
  philox4x32([0, 1, 0, STREAMS.held_out], wordsOf(seed), words);
  const offset = words[0]! / 2 ** 32;
  return Int32Array.from(images, (image) => Math.floor(((offset + image * GOLDEN_RATIO) % 1) * steps));
}
