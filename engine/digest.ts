// SHA-256 of files and of values, in hexadecimal.

import { createHash } from 'node:crypto';
import type { Origin } from '../runtime/bytes.ts';
import { openFile } from '../runtime/host/node/files.ts';
import { filesOfWeights } from '../runtime/host/node/open-weights.ts';
import { hashWeights } from '../runtime/weights/hash.ts';

const PIECE = 2 ** 24;

export function sha256Of(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Of the bytes of float32 values. */
export function sha256OfValues(values: Float32Array): string {
  return sha256Of(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

/**
 * Of a checkpoint, read in pieces, with the key behind it and the shards that it names, and of the map that renames its
 * tensors; weights from a formula are their own name.
 */
export function weightsDigest(weights: string, renameMap: string | undefined): string {
  const own = hashWeights(weights) === null ? checkpointDigest(weights) : weights;
  return renameMap === undefined
    ? own
    : sha256Of(`${own} ${fileDigest({ kind: 'weights', label: renameMap })}`);
}

function checkpointDigest(weights: string): string {
  const { files, key } = filesOfWeights(weights);
  const digests = files.map((label) => fileDigest({ kind: 'weights', label }));
  const [own] = digests;
  return own !== undefined && digests.length === 1 && key === null
    ? own
    : sha256Of([...digests, key ?? ''].join(' '));
}

/** Of a file, read in pieces. */
export function fileDigest(origin: Origin): string {
  const source = openFile(origin);
  try {
    const hash = createHash('sha256');
    for (let at = 0; at < source.size; at += PIECE)
      hash.update(source.read(at, Math.min(PIECE, source.size - at)));
    return hash.digest('hex');
  } finally {
    source.close();
  }
}
