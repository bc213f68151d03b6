// Opens weights by what is said on the command line: a checkpoint's path, a part of one as `FILE#KEY`, or `hash:SEED`.

import path from 'node:path';
import type { ByteSource } from '../../bytes.ts';
import { openCheckpoint } from '../../weights/checkpoint.ts';
import { hashWeights } from '../../weights/hash.ts';
import { type OpenShard, shardNames } from '../../weights/shards.ts';
import type { CheckpointAddress, WeightSource } from '../../weights/source.ts';
import { openFile, pathKind } from './files.ts';

/**
 * The weights that `spec` names: a `.safetensors` file, a `.pt` file, an index of shards (told apart by content), one of
 * these with `#KEY` behind it for the state dict or the prefix of names that is meant, or `hash:SEED`. The header is read
 * and checked here, tensors when asked for. Throws a RuntimeError of kind `weights`.
 */
export function openWeights(spec: string): WeightSource {
  const formula = hashWeights(spec);
  if (formula !== null) return formula;
  const address = addressOf(spec);
  return openCheckpoint(openFileOf(address), address, openShardOf(address));
}

/** The files that weights are read from, an index before its shards, and the key behind them. */
export function filesOfWeights(spec: string): {
  readonly files: readonly string[];
  readonly key: string | null;
} {
  const { file, key } = addressOf(spec);
  const source = openFile({ kind: 'weights', label: file });
  try {
    const shards = shardNames(source, { kind: 'weights', label: file });
    return { files: [file, ...shards.map((name) => path.join(path.dirname(file), name))], key };
  } finally {
    source.close();
  }
}

/** The file of an address, open. */
export function openFileOf({ file }: CheckpointAddress): ByteSource {
  return openFile({ kind: 'weights', label: file });
}

/** Opens files beside that of an address: the shards that it names where it is an index. */
export function openShardOf({ file }: CheckpointAddress): OpenShard {
  return (name) => openFile({ kind: 'weights', label: path.join(path.dirname(file), name) });
}

/**
 * Tells a file from a key behind it. A file whose own name has a `#` is that file; otherwise the longest name before a `#`
 * that leads to something is the file.
 */
export function addressOf(spec: string): CheckpointAddress {
  const whole = { label: spec, file: spec, key: null };
  if (!spec.includes('#') || pathKind(spec) !== 'missing') return whole;
  const marks = [...spec].flatMap((c, i) => (c === '#' && i > 0 ? [i] : [])).reverse();
  const found = marks.find((at) => pathKind(spec.slice(0, at)) !== 'missing') ?? marks[0];
  if (found === undefined) return whole;
  return { label: spec, file: spec.slice(0, found), key: spec.slice(found + 1) };
}
