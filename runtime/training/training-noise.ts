// The noise that a batch of training is mixed with, a pure function of the run's seed, the step, the sample and the element:
// a run that goes on from a step draws what it would have drawn, whatever its microbatches.
//
//   key     the seed
//   counter [block, step, sample, training noise]      element i is word i mod 4 of block ⌊i / 4⌋
//
// A word w becomes the normal quantile at (w + 1/2) / 2^32.

import { normalQuantile } from '../sampler/normal.ts';
import { philox4x32 } from '../sampler/philox.ts';
import { STREAMS, wordsOf } from '../sampler/streams.ts';

/**
 * Standard normal noise of a step's samples, one after the other, float32.
 * @param step the number of the step, below 2^32
 * @param length elements of a sample
 */
export function trainingNoise(seed: number, step: number, samples: number, length: number): Float32Array {
  const noise = new Float32Array(samples * length);
  for (let sample = 0; sample < samples; sample++) {
    const one = noise.subarray(sample * length, (sample + 1) * length);
    drawNoise(one, seed, [step, sample, STREAMS.training_noise]);
  }
  return noise;
}

/** Fills a sample with standard normal noise, under the last three words of the counter. */
export function drawNoise(
  noise: Float32Array,
  seed: number,
  [second, third, stream]: readonly [number, number, number],
): void {
  const key = wordsOf(seed);
  const words = new Uint32Array(4);
  for (let i = 0; i < noise.length; i++) {
    if (i % 4 === 0) philox4x32([i / 4, second, third, stream], key, words);
    noise[i] = normalQuantile((words[i % 4]! + 0.5) / 2 ** 32);
  }
}
