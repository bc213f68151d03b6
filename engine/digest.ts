// SHA-256 of files and of values, in hexadecimal.

import { createHash } from 'node:crypto';
import type { Origin } from '../runtime/bytes.ts';
import { openFile } from '../runtime/host/node/files.ts';
import { filesOfWeights } from '../runtime/host/node/open-weights.ts';
import type { TakeTurn } from '../runtime/host/node/turns.ts';
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
 * tensors; weights from a formula are their own name. Rejects with RuntimeError('weights').
 */
export async function weightsDigest(
  weights: string,
  renameMap: string | undefined,
  takeTurn: TakeTurn,
): Promise<string> {
  const own = hashWeights(weights) === null ? await checkpointDigest(weights, takeTurn) : weights;
  if (renameMap === undefined) return own;
  return sha256Of(`${own} ${await fileDigest({ kind: 'weights', label: renameMap }, takeTurn)}`);
}

async function checkpointDigest(weights: string, takeTurn: TakeTurn): Promise<string> {
  const { files, key } = filesOfWeights(weights);
  const digests: string[] = [];
  for (const label of files) digests.push(await fileDigest({ kind: 'weights', label }, takeTurn));
  const [own] = digests;
  return own !== undefined && digests.length === 1 && key === null
    ? own
    : sha256Of([...digests, key ?? ''].join(' '));
}

/** Of a file, read in pieces. Rejects with a RuntimeError of the origin's kind. */
export async function fileDigest(origin: Origin, takeTurn: TakeTurn): Promise<string> {
  const source = openFile(origin);
  try {
    const hash = createHash('sha256');
    for (let at = 0; at < source.size; at += PIECE) {
      hash.update(source.read(at, Math.min(PIECE, source.size - at)));
      await takeTurn();
    }
    return hash.digest('hex');
  } finally {
    source.close();
  }
}
