// Tells by its first bytes what a checkpoint file is, and opens it; what cannot be read is told with what to do.

import { type ByteSource, fault, type Origin } from '../bytes.ts';
import { torchWeights } from './pt.ts';
import { safetensorsWeights } from './safetensors.ts';
import type { WeightSource } from './source.ts';

/** File types that are taken for weights and are none: where and how they begin, and what to say. */
const FOREIGN: readonly { readonly at: number; readonly bytes: string; readonly message: string }[] = [
  {
    at: 0,
    bytes: 'version https://git-lfs',
    message: 'this is a Git LFS pointer, not the file it points to; fetch it with `git lfs pull`',
  },
  { at: 0, bytes: '<', message: 'this is a web page or XML; the download went wrong, fetch the file itself' },
  {
    at: 0,
    bytes: '{',
    message: 'this is JSON text, such as an index of shards; name the file that holds the tensors',
  },
  {
    at: 0,
    bytes: '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19',
    message:
      'this is the format that torch.save wrote before PyTorch 1.6; open it in PyTorch and save it again: ' +
      "torch.save(torch.load('old.pt', map_location='cpu'), 'new.pt')",
  },
  {
    at: 0,
    bytes: '\x80',
    message: 'this is a bare pickle; save the tensors with torch.save or as safetensors',
  },
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

/** The weights of a `.safetensors` file or a `.pt` archive, whatever it is called. Takes over `source`. */
export function openCheckpoint(source: ByteSource, label: string): WeightSource {
  const origin: Origin = { kind: 'weights', label };
  try {
    const head = source.read(0, Math.min(source.size, 512));
    if (head.length === 0) throw fault(origin, 'the file is empty; download or save it again');
    if (begins(head, 0, 'PK\x03\x04') || begins(head, 0, 'PK\x05\x06')) return torchWeights(source, label);
    // A safetensors file begins with the length of its header, which begins with a brace.
    if (begins(head, 8, '{')) return safetensorsWeights(source, label);
    const foreign = FOREIGN.find(({ at, bytes }) => begins(head, at, bytes));
    if (foreign !== undefined) throw fault(origin, foreign.message);
    throw fault(origin, 'this is neither a safetensors file nor an archive of torch.save');
  } catch (error) {
    source.close();
    throw error;
  }
}

function begins(head: Uint8Array, at: number, bytes: string): boolean {
  if (head.length < at + bytes.length) return false;
  return [...bytes].every((c, i) => head[at + i] === c.charCodeAt(0));
}
