// The recorded bound as a graph file, its data and noise, and what the original found.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asFloat32, readTensors } from '../runtime/weights/safetensors.ts';

/** The file that is the data and the noise. */
export const BOUND_FILE = join(import.meta.dirname, 'golden/train/bpd/expected.safetensors');
export const BOUND_WEIGHTS = 'hash:41';
export const BOUND_STEPS = '20';

/** The text of the graph file. */
export function boundGraph(): string {
  const { kwargs, diffusion } = JSON.parse(
    readFileSync(join(import.meta.dirname, 'golden/train/bpd/case.json'), 'utf8'),
  );
  return JSON.stringify({ version: 1, name: 'bpd', image_size: 8, unet: kwargs, diffusion });
}

/** What the original found, by name: [N] or [N, T]. */
export function recordedBound(name: string): Float32Array {
  const tensors = readTensors(readFileSync(BOUND_FILE), { kind: 'input', label: BOUND_FILE });
  return Float32Array.from(asFloat32(tensors.get(name)!).data);
}

/** The names of what the original found. */
export const BOUND_NAMES = ['total_bpd', 'prior_bpd', 'vb', 'xstart_mse', 'mse'] as const;

/** The largest error of any value beside its size. */
export function worstError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length)
    throw new Error(`${found.length} values, expected ${expected.length}`);
  return Math.max(
    ...Array.from(expected, (value, i) => Math.abs(found[i]! - value) / Math.max(Math.abs(value), 1e-12)),
  );
}
