// Tells by its first bytes what a checkpoint file is, and opens it; what cannot be read is told with what to do.

import { type ByteSource, closeOnThrow, fault, type Origin } from '../bytes.ts';
import { prefixedWeights } from './prefix.ts';
import { safetensorsWeights } from './safetensors.ts';
import { isJsonText, type OpenShard, shardedWeights } from './shards.ts';
import type { CheckpointAddress, WeightSource } from './source.ts';
import { archiveWeights } from './torch/archive.ts';
import { LEGACY_MAGIC, legacyWeights, pickleWeights } from './torch/legacy.ts';

/** File types that are taken for weights and are none: where and how they begin, and what to say. */
const FOREIGN: readonly { readonly at: number; readonly bytes: string; readonly message: string }[] = [
  {
    at: 0,
    bytes: 'version https://git-lfs',
    message: 'this is a Git LFS pointer, not the file it points to; fetch it with `git lfs pull`',
  },
  { at: 0, bytes: '<', message: 'this is a web page or XML; the download went wrong, fetch the file itself' },
  {
    at: 257,
    bytes: 'ustar',
    message:
      'this is a tar archive; unpack it, or where torch.save wrote it, open it in PyTorch and save it again',
  },
  { at: 0, bytes: '\x1f\x8b', message: 'this is packed with gzip; unpack it with gunzip' },
  { at: 0, bytes: '\x28\xb5\x2f\xfd', message: 'this is packed with zstd; unpack it with unzstd' },
  { at: 0, bytes: '\x89HDF', message: 'this is HDF5 (Keras); save the tensors as safetensors' },
  { at: 0, bytes: '\x93NUMPY', message: 'this is a NumPy array; save the tensors as safetensors' },
  { at: 0, bytes: 'GGUF', message: 'this is GGUF; convert the tensors to safetensors' },
];

/** The address of a whole file. */
export function wholeFile(label: string): CheckpointAddress {
  return { label, file: label, key: null };
}

/** Tells a file from the key behind its first `#`, where it has one. */
export function splitAddress(label: string): CheckpointAddress {
  const at = label.indexOf('#');
  return at < 1 ? wholeFile(label) : { label, file: label.slice(0, at), key: label.slice(at + 1) };
}

/**
 * The weights of a checkpoint, told apart by content: `.safetensors`, what torch.save writes or wrote before PyTorch 1.6,
 * or an index of shards, each of which `openShard` opens. `address` says what of it is meant; text is the label of all of
 * it. The header is read and checked here, tensors when asked for. Takes over `source`. Throws a RuntimeError of kind
 * `weights`.
 */
export function openCheckpoint(
  source: ByteSource,
  address: string | CheckpointAddress,
  openShard: OpenShard | null = null,
): WeightSource {
  return closeOnThrow(source, () => {
    return openByContent(source, typeof address === 'string' ? wholeFile(address) : address, openShard);
  });
}

function openByContent(
  source: ByteSource,
  address: CheckpointAddress,
  openShard: OpenShard | null,
): WeightSource {
  const { label, key } = address;
  const origin: Origin = { kind: 'weights', label };
  if (key === '')
    throw fault(origin, 'nothing stands behind the #; name a state dict or a prefix, or take it off');
  const head = source.read(0, Math.min(source.size, 512));
  if (head.length === 0) throw fault(origin, 'the file is empty; download or save it again');
  // The length of its header may begin as a pickle does, and no pickle goes on so.
  if (begins(head, 4, '\0\0\0\0{')) return keyed(safetensorsWeights(source, label, address.file), key);
  if (begins(head, 0, 'PK\x03\x04') || begins(head, 0, 'PK\x05\x06')) return archiveWeights(source, address);
  if (begins(head, 0, LEGACY_MAGIC)) return legacyWeights(source, address);
  if (begins(head, 0, '\x80')) return pickleWeights(source, address);
  const text = isJsonText(head);
  // A safetensors file begins with the length of its header, and the header with a brace.
  if (begins(head, 8, '{') && !text) return keyed(safetensorsWeights(source, label, address.file), key);
  if (text) {
    if (openShard === null)
      throw fault(origin, 'this is JSON text, and shards that it may name cannot be opened from here');
    const open = (name: string) => openCheckpoint(openShard(name), wholeFile(name));
    return keyed(shardedWeights(source, address, open), key);
  }
  const foreign = FOREIGN.find(({ at, bytes }) => begins(head, at, bytes));
  if (foreign !== undefined) throw fault(origin, foreign.message);
  throw fault(origin, 'this is neither a safetensors file nor an archive of torch.save');
}

/** The tensors under a prefix where one is asked for. */
function keyed(source: WeightSource, key: string | null): WeightSource {
  if (key === null) return source;
  return closeOnThrow(source, () => {
    return prefixedWeights(source, key);
  });
}

function begins(head: Uint8Array, at: number, bytes: string): boolean {
  if (head.length < at + bytes.length) return false;
  return [...bytes].every((c, i) => head[at + i] === c.charCodeAt(0));
}
