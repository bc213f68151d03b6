// Bundles and weights as a page has them, read on their own: behind an address, or as a file that somebody chose.

import type { Bundle } from '../../bundle.ts';
import { bytesInMemory, type Origin } from '../../bytes.ts';
import { openCheckpoint } from '../../weights/checkpoint.ts';
import type { WeightSource } from '../../weights/source.ts';
import type { Fetch } from './answer.ts';
import { createFiles } from './files.ts';
import { readBundle } from './read-bundle.ts';
import { readWeights } from './read-weights.ts';

/**
 * Reads the bundle whose folder is served at `base`: its manifest, then all kernels at once. What stands behind a `?`, such
 * as a version or a signature, is asked for with every file. Throws RuntimeError('bundle') where a file cannot be had
 * whole, or the bundle is not sound.
 */
export function fetchBundle(base: string | URL, get: Fetch = fetch): Promise<Bundle> {
  return readBundle(base, createFiles({ get, attempts: 1 }));
}

/**
 * Reads the checkpoint at an address, `.safetensors`, `.pt`, or an index of shards (told apart by content), whole into
 * memory. What stands behind a `#` is the state dict or the prefix of names that is meant. Throws RuntimeError('weights').
 */
export function fetchWeights(url: string | URL, get: Fetch = fetch): Promise<WeightSource> {
  return readWeights(url, createFiles({ get, attempts: 1 }));
}

/**
 * Reads a checkpoint that is a Blob, such as a file of an `<input>`, whole into memory. `key` is the state dict or the
 * prefix of names that is meant, where it holds more than one. Throws RuntimeError('weights').
 */
export async function blobWeights(
  blob: Pick<Blob, 'arrayBuffer'>,
  label = 'the weights',
  key: string | null = null,
): Promise<WeightSource> {
  const named = key === null ? label : `${label}#${key}`;
  const origin: Origin = { kind: 'weights', label: named };
  const bytes = bytesInMemory(new Uint8Array(await blob.arrayBuffer()), origin);
  return openCheckpoint(bytes, { label: named, file: label, key });
}
