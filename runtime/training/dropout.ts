// Dropout's masks by Philox: a pure function of the seed, the step, the sample, the dropout and the element, so that the
// backward pass computes the forward pass's mask again, and neither microbatches nor the machine change it.
//
//   key     [seed mod 2^32, floor(seed / 2^32)]
//   counter [quad · pixels + pixel, sample, step, STREAMS.dropout + 256 · block]      channel c is word c mod 4 of quad ⌊c / 4⌋
//
// An element of a dropout of probability p is kept where its word is below `dropoutThreshold(p)`, and is then multiplied with
// `dropoutFactor(p)`; the others are zero. Source: Srivastava et al. 2014, in PyTorch's scaling.

import { philox4x32 } from '../sampler/philox.ts';
import { STREAMS, wordsOf } from '../sampler/streams.ts';

const WORD_RANGE = 2 ** 32;

/** The name of the port that takes the rows of `dropoutWords`. */
export const DROPOUT_PORT = 'dropout';

/** Words of a sample at the port: the seed, the lower word first, the step and the sample. */
export const DROPOUT_WORDS = 4;

/** Whether a bundle draws dropout. */
export function drawsDropout({ inputs }: { readonly inputs: readonly { readonly name: string }[] }): boolean {
  return inputs.some(({ name }) => name === DROPOUT_PORT);
}

/** What the masks of a batch are drawn by. */
export interface DropoutDraw {
  /** A whole number up to 2^53. */
  readonly seed: number;
  /** The number of the whole batch in its run, below 2^32. */
  readonly step: number;
  /** The number in the whole batch of the first sample; 0 where not given. Those of a microbatch follow it. */
  readonly first_sample?: number;
}

/** What is wrong with a draw for `samples` samples, a line each. */
export function dropoutFaults(draw: DropoutDraw, samples: number): readonly string[] {
  const { seed, step, first_sample = 0 } = draw;
  const whole = (name: string, value: number, most: number) =>
    Number.isInteger(value) && value >= 0 && value <= most
      ? []
      : [`dropout.${name} is ${value}, expected a whole number from 0 to ${most}`];
  return [
    ...whole('seed', seed, Number.MAX_SAFE_INTEGER),
    ...whole('step', step, WORD_RANGE - 1),
    ...whole('first_sample', first_sample, WORD_RANGE - samples),
  ];
}

/** What the port of dropout is given for `samples` samples: a row of `DROPOUT_WORDS` words for each, row-major. */
export function dropoutWords(
  { seed, step, first_sample = 0 }: DropoutDraw,
  samples: number,
): readonly number[] {
  const [low, high] = wordsOf(seed);
  return Array.from({ length: samples }, (_, k) => [low, high, step, first_sample + k]).flat();
}

/** Words below it are kept: the share 1 - p of all words, rounded to whole ones; the largest word never is. */
export function dropoutThreshold(p: number): number {
  return Math.min(Math.round((1 - p) * WORD_RANGE), WORD_RANGE - 1);
}

/** What kept elements are multiplied with, 1 / (1 - p) as float32 has it. */
export function dropoutFactor(p: number): number {
  return Math.fround(1 / (1 - p));
}

/** The last word of the counter of a dropout, which tells it from all other uses of Philox. */
export function dropoutStream(block: number): number {
  return STREAMS.dropout + 256 * block;
}

/**
 * Which elements of one sample a dropout keeps: 1 or 0, row-major [channels, ...space].
 * @param row the sample's words at the port
 */
export function dropoutMask(
  row: ArrayLike<number>,
  { p, block }: { readonly p: number; readonly block: number },
  channels: number,
  pixels: number,
): Uint8Array {
  const [low = 0, high = 0, step = 0, sample = 0] = Array.from(row);
  const [threshold, stream] = [dropoutThreshold(p), dropoutStream(block)];
  const words = new Uint32Array(4);
  const kept = new Uint8Array(channels * pixels);
  for (let first = 0; first < channels; first += 4) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      philox4x32([(first / 4) * pixels + pixel, sample, step, stream], [low, high], words);
      for (let c = first; c < Math.min(first + 4, channels); c++) {
        kept[c * pixels + pixel] = words[c - first]! < threshold ? 1 : 0;
      }
    }
  }
  return kept;
}
