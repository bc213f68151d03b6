// What is drawn at random for training data, as pure functions of the seed: the order of an epoch, and how an image is
// mirrored and cut. A run that goes on from a step needs nothing but the step's number to draw what it would have drawn.
//
//   order    Fisher and Yates' shuffle by Philox, counter [block, epoch, 0, order], two draws of 53 bits a block
//   augment  counter [position mod 2^32, ⌊position / 2^32⌋, 0, augment]: mirrored, size, down, right
//
// A position counts the samples of a run: sample j of epoch e of n samples stands at e n + j.

import { philox4x32 } from '../../runtime/sampler/philox.ts';
import { STREAMS, wordsOf } from '../../runtime/sampler/streams.ts';
import type { Crop } from './reduce.ts';

/** A permutation of 0 … count - 1, at most 2^32 of them: the order of an epoch. */
export function epochOrder(seed: number, epoch: number, count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const key = wordsOf(seed);
  const words = new Uint32Array(4);
  for (let left = count - 1, drawn = 0; left > 0; left--, drawn++) {
    if (drawn % 2 === 0) philox4x32([drawn / 2, epoch, 0, STREAMS.order], key, words);
    const half = (drawn % 2) * 2;
    const fraction = (words[half]! * 2 ** 21 + (words[half + 1]! >>> 11)) / 2 ** 53;
    const other = Math.floor(fraction * (left + 1));
    const held = order[left]!;
    order[left] = order[other]!;
    order[other] = held;
  }
  return order;
}

/** Samples in the order of a run, which begins a fresh permutation wherever the last one ends. */
export interface RunOrder {
  /** The sample at a position; with `further` the one so many places later in the same epoch, around its end. */
  at(position: number, further?: number): number;
}

/** @param count samples, at least one */
export function runOrder(seed: number, count: number): RunOrder {
  // batches are prepared ahead, so that two epochs are asked for in turns
  const held = new Map<number, Uint32Array>();
  const orderOf = (epoch: number): Uint32Array => {
    const known = held.get(epoch);
    if (known !== undefined) return known;
    const order = epochOrder(seed, epoch, count);
    for (const old of [...held.keys()].slice(0, Math.max(0, held.size - 2))) held.delete(old);
    held.set(epoch, order);
    return order;
  };
  return {
    at: (position, further = 0) =>
      orderOf(Math.floor(position / count))[((position % count) + further) % count]!,
  };
}

/** What may be drawn for each image. */
export interface Augment {
  /** Mirrored from left to right, half of the time. */
  readonly flip: boolean;
  readonly crop: Crop['kind'];
}

/** How the image at a position of a run is mirrored and cut. */
export function drawAugment(
  seed: number,
  position: number,
  { flip, crop }: Augment,
): { readonly mirrored: boolean; readonly crop: Crop } {
  const words = new Uint32Array(4);
  philox4x32([...wordsOf(position), 0, STREAMS.augment], wordsOf(seed), words);
  const [mirrored, size, down, right] = [...words].map((word) => word / 2 ** 32);
  return {
    mirrored: flip && mirrored! < 0.5,
    crop:
      crop === 'centre' ? { kind: 'centre' } : { kind: 'random', size: size!, down: down!, right: right! },
  };
}
