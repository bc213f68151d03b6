// The weights of a page as files of it: every parameter under the graph's own name, in shards that hosts of static files take.

import { createHash } from 'node:crypto';
import type { FileContent } from '../../runtime/host/node/folders.ts';
import type { MatchedWeights } from '../../runtime/weights/match.ts';
import { bytesOf, safetensorsChunks } from '../../runtime/weights/safetensors-write.ts';
import { planShards } from '../../runtime/weights/shards-write.ts';
import type { TensorInfo, WeightSource } from '../../runtime/weights/source.ts';
import { tensorsToWrite } from '../checkpoint/convert-checkpoint.ts';
import type { ConvertOptions } from '../checkpoint/weight-dtypes.ts';
import { sha256Of } from '../digest.ts';

/** Some hosts take no file of 25 MiB. */
const SHARD_SIZE = 24 * 2 ** 20;

export interface PageWeights {
  /** Files by their names beside the bundle's, written in this order. */
  readonly files: ReadonlyMap<string, FileContent>;
  /** The file that is asked for first. */
  readonly first: string;
  /** Names of tensors that make a file larger than it should be. */
  readonly oversized: readonly string[];
  /** Bytes and SHA-256 of all that was written, and SHA-256 of every file by its name, once it was. */
  written(): {
    readonly bytes: number;
    readonly sha256: string;
    readonly files: ReadonlyMap<string, string>;
  };
}

/** The weights of these parameters, read from a checkpoint that fits them. Throws as `writeWeights` does, when they are written. */
export function pageWeights(
  parameters: readonly TensorInfo[],
  { read }: MatchedWeights,
  label: string,
  { dtype = 'f32', shardSize = SHARD_SIZE }: ConvertOptions,
): PageWeights {
  const hash = createHash('sha256');
  let bytes = 0;
  const digests = new Map<string, string>();
  function* hashed(name: string, chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
    const own = createHash('sha256');
    for (const chunk of chunks) {
      hash.update(chunk);
      own.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
    digests.set(name, own.digest('hex'));
  }
  const source: WeightSource = { label, tensors: parameters, read: (name) => read(name), close() {} };
  const plan = planShards(tensorsToWrite(source, dtype), shardSize, 'weights');
  const shards = plan.shards.map(
    ({ name, tensors }) => [name, hashed(name, safetensorsChunks(tensors, { format: 'pt' }))] as const,
  );
  const index = 'weights.safetensors.index.json';
  if (plan.index !== null) digests.set(index, sha256Of(plan.index));
  return {
    files: new Map<string, FileContent>([
      ...shards,
      ...(plan.index === null ? [] : [[index, plan.index] as const]),
    ]),
    first: plan.index === null ? shards[0]![0] : index,
    oversized: plan.oversized.map((tensor) => `${tensor.name} (${bytesOf(tensor)} bytes)`),
    written: () => ({ bytes, sha256: hash.copy().digest('hex'), files: digests }),
  };
}
