// SHA-256 of files and of values, in hexadecimal.

import { createHash } from 'node:crypto';
import { openFile } from '../../runtime/files.ts';
import { hashWeights } from '../../runtime/weights/hash.ts';

const PIECE = 2 ** 24;

export function sha256Of(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Of the bytes of float32 values. */
export function sha256OfValues(values: Float32Array): string {
  return sha256Of(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

/** Of a checkpoint, read in pieces; weights from a formula are their own name. */
export function weightsDigest(weights: string): string {
  if (hashWeights(weights) !== null) return weights;
  const source = openFile({ kind: 'weights', label: weights });
  try {
    const hash = createHash('sha256');
    for (let at = 0; at < source.size; at += PIECE)
      hash.update(source.read(at, Math.min(PIECE, source.size - at)));
    return hash.digest('hex');
  } finally {
    source.close();
  }
}
