// Weights from a formula, `hash:SEED`: full-size models can be tested and timed without a checkpoint file.
//
//   h = fnv1a32(NAME) + SEED · 0x85EBCA6B          x = i · 0x9E3779B9 + h                        (all mod 2³²)
//   x ^= x >> 16; x *= 0x85EBCA6B; x ^= x >> 13; x *= 0xC2B2AE35; x ^= x >> 16;  u = x / 2³¹ − 1 in [−1, 1)
//
// Element i (row-major) is 0.1·u where NAME ends in `.bias`, 1 + 0.2·u in a one-dimensional weight (a norm's),
// u where NAME begins with `label_emb`, else u·√(3 / fan_in): variance 1 / fan_in. The finalizer is MurmurHash3's.

import { RuntimeError } from '../errors.ts';
import type { Scratch } from '../scratch.ts';
import { elements } from '../tensor.ts';
import type { WeightSource } from './source.ts';

/** FNV-1a, 32 bit, over the UTF-8 bytes of `text`. */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** `hash:SEED` as a source of weights, or null where `spec` does not begin with `hash:`. SEED is 0 … 2³² − 1. */
export function hashWeights(spec: string): WeightSource | null {
  if (!spec.startsWith('hash:')) return null;
  const digits = spec.slice('hash:'.length);
  const seed = Number(digits);
  if (!/^[0-9]+$/.test(digits) || seed > 0xffffffff) {
    throw new RuntimeError(
      'weights',
      `${spec}: the seed must be a whole number from 0 to 4294967295, as in hash:1`,
    );
  }
  return {
    label: spec,
    tensors: null,
    read: (name, shape, scratch) => hashTensor(name, shape, seed, scratch),
    close() {},
  };
}

/** The values of the tensor `name`, row-major; computed in float64, rounded to float32. */
export function hashTensor(
  name: string,
  shape: readonly number[],
  seed: number,
  scratch?: Scratch,
): Float32Array {
  const count = elements(shape);
  const { offset, scale } = distribution(name, shape, count);
  const values = scratch?.floats(count) ?? new Float32Array(count);
  let start = (fnv1a32(name) + Math.imul(seed, 0x85ebca6b)) | 0;
  for (let i = 0; i < count; i++) {
    let x = start;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    values[i] = offset + scale * ((x >>> 0) / 0x80000000 - 1);
    start = (start + 0x9e3779b9) | 0;
  }
  return values;
}

function distribution(
  name: string,
  shape: readonly number[],
  count: number,
): { offset: number; scale: number } {
  if (name.endsWith('.bias')) return { offset: 0, scale: 0.1 };
  if (shape.length === 1) return { offset: 1, scale: 0.2 };
  if (name.startsWith('label_emb')) return { offset: 0, scale: 1 };
  return { offset: 0, scale: Math.sqrt(3 / (count / (shape[0] ?? 1))) };
}
