// A checkpoint written in several files, each below a size, with the index that names them: what huggingface_hub writes and
// reads. A tensor is never divided.

import { bytesOf, type TensorToWrite } from './safetensors-write.ts';

/** A file of a checkpoint in shards. */
export interface Shard<T> {
  readonly name: string;
  readonly tensors: readonly T[];
}

export interface ShardPlan<T> {
  /** In the order of their tensors; one with the plain name where everything fits into it. */
  readonly shards: readonly Shard<T>[];
  /** The index as text; null where there is one file. */
  readonly index: string | null;
  /** Tensors that alone are larger than a shard may be. */
  readonly oversized: readonly T[];
}

/** Beside entries: the length, the braces, the metadata, what fills the header up, all with room to spare. */
const HEADER = 256;

/**
 * Divides tensors, in their order, into files of at most `limit` bytes; one that is larger gets a file of its own.
 * @param stem the name of the file without its ending: `model` becomes `model-00001-of-00004.safetensors`
 */
export function planShards<T extends Omit<TensorToWrite, 'data'>>(
  tensors: readonly T[],
  limit: number,
  stem: string,
): ShardPlan<T> {
  const groups: T[][] = [[]];
  let room = limit - HEADER;
  for (const tensor of tensors) {
    const bytes = bytesOf(tensor) + entryBytes(tensor);
    if (bytes > room && groups.at(-1)!.length > 0) {
      groups.push([]);
      room = limit - HEADER;
    }
    groups.at(-1)!.push(tensor);
    room -= bytes;
  }
  const oversized = tensors.filter((tensor) => HEADER + bytesOf(tensor) + entryBytes(tensor) > limit);
  if (groups.length === 1)
    return { shards: [{ name: `${stem}.safetensors`, tensors }], index: null, oversized };
  const padded = (n: number) => String(n).padStart(5, '0');
  const shards = groups.map((tensors, i) => ({
    name: `${stem}-${padded(i + 1)}-of-${padded(groups.length)}.safetensors`,
    tensors,
  }));
  return { shards, index: indexOf(shards), oversized };
}

/** The index, with the names in the order of the tensors. Built from pairs: a name such as `__proto__` is data too. */
function indexOf(shards: readonly Shard<Omit<TensorToWrite, 'data'>>[]): string {
  const all = shards.flatMap(({ name, tensors }) => tensors.map((tensor) => ({ file: name, tensor })));
  const size = all.reduce((sum, { tensor }) => sum + bytesOf(tensor), 0);
  const lines = all.map(({ file, tensor }) => `    ${JSON.stringify(tensor.name)}: ${JSON.stringify(file)}`);
  return `{\n  "metadata": {\n    "total_size": ${size}\n  },\n  "weight_map": {\n${lines.join(',\n')}\n  }\n}\n`;
}

/** Bytes that a tensor takes in a header, at the most. */
function entryBytes({ name, dtype, shape }: Omit<TensorToWrite, 'data'>): number {
  const largest = Number.MAX_SAFE_INTEGER;
  const entry = JSON.stringify({ dtype, shape, data_offsets: [largest, largest] });
  return new TextEncoder().encode(JSON.stringify(name)).length + entry.length + 2;
}
