// Which random numbers are whose: every use of Philox under a seed has a stream of its own, the fourth word of the
// counter, so that no two uses ever draw the same numbers.

/** The fourth word of Philox' counter, by what is drawn. */
export const STREAMS = {
  /** Noise of samples and of their steps (noise.ts). */
  noise: 0,
  /** Weights to begin with (training/initial-values.ts). */
  weights: 1,
  /** How a training image is mirrored and cut. */
  augment: 2,
  /** Timesteps of training. */
  timesteps: 3,
  /** Noise that training images are mixed with. */
  training_noise: 4,
  /** Masks of dropout (training/dropout.ts), which adds the number of the dropout times 256. */
  dropout: 5,
  /** Noise of the terms of a bound (noise.ts). */
  bound: 6,
  /** The order of samples in an epoch. */
  order: 7,
  /** Noise and timesteps of held-out images (training/held-out-draws.ts). */
  held_out: 8,
} as const;

const WORD = 2 ** 32;

/** The two words of a whole number up to 2^53, the lower first: a seed as a key, a position in a counter. */
export function wordsOf(whole: number): readonly [number, number] {
  return [whole % WORD, Math.floor(whole / WORD)];
}
