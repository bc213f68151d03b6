// Tensors as views of storages: several may share one, and their elements need not lie in order. What a view reaches is
// checked before anything is read, and so is what all of them expand to.

import { fault, type Origin } from '../../bytes.ts';
import type { Scratch } from '../../scratch.ts';
import { countElements, DTYPE_BYTES, isFloating, swapBytes, toFloat32 } from '../dtypes.ts';
import type { Span } from './pickle-reader.ts';
import type { PickleElements, PickleStorage, PickleTensor } from './pickle-values.ts';

/** Where the bytes of storages lie. */
export interface Storages {
  /** Bytes that are there under a key, or null. */
  size(key: string): number | null;
  /** Bytes of a storage; they may lie in `scratch`. */
  read(key: string, offset: number, length: number, scratch?: Scratch): Uint8Array;
  /** A stretch of the pickle. */
  readSpan(span: Span, scratch?: Scratch): Uint8Array;
  readonly bigEndian: boolean;
}

/**
 * What a tensor, and all of them together, may expand to beyond the bytes of their storages: this many times as much, and
 * this many bytes. Tied weights are one storage under two or three names; a stride of 0 repeats an element without
 * storing it, which models do for masks and positions.
 */
const MAX_EXPANSION = 8;
const FREE_BYTES = 2 ** 20;

/** Throws where a storage is missing or too short for a tensor, or tensors are far larger than what is stored. */
export function checkTensors(
  tensors: ReadonlyMap<string, PickleTensor>,
  storages: Storages,
  origin: Origin,
): void {
  const stored = new Map<unknown, number>();
  let expanded = 0;
  let largest: { readonly name: string; readonly bytes: number } | null = null;
  for (const [name, tensor] of tensors) {
    const what = `tensor ${JSON.stringify(name)}`;
    const own = checkExtent(what, tensor, storages, origin);
    const { storage, dtype, shape } = tensor;
    const bytes = (countElements(shape) ?? Number.POSITIVE_INFINITY) * DTYPE_BYTES[dtype];
    if (bytes > MAX_EXPANSION * own + FREE_BYTES) {
      throw fault(
        origin,
        `${what}: [${shape.join(', ')}] takes ${bytes} bytes, and its storage has only ${own}; ` +
          'save it with .contiguous()',
      );
    }
    stored.set(storage.kind === 'storage' ? storage.key : storage, own);
    expanded += bytes;
    if (largest === null || bytes > largest.bytes) largest = { name, bytes };
  }
  const all = [...stored.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (expanded <= MAX_EXPANSION * all + FREE_BYTES) return;
  throw fault(
    origin,
    `its ${tensors.size} tensors take ${expanded} bytes, ${JSON.stringify(largest?.name)} the most, and their storages ` +
      `have only ${all}; save them with .contiguous()`,
  );
}

/** The bytes of a tensor's storage, which must be there, whole, and hold every element that the tensor reaches. */
function checkExtent(what: string, tensor: PickleTensor, storages: Storages, origin: Origin): number {
  const { storage, dtype, offset, shape } = tensor;
  const unit = DTYPE_BYTES[dtype];
  const bytes = storage.kind === 'elements' ? storage.count * unit : bytesOf(what, storage, storages, origin);
  if (storage.dtype !== null && storage.dtype !== dtype) {
    throw damaged(origin, `${what}: it is of type ${dtype}, its storage of ${storage.dtype}`);
  }
  if (countElements(shape) === null)
    throw damaged(origin, `${what}: [${shape.join(', ')}] has more elements than can be counted`);
  const end = offset + span(tensor);
  if (end * unit > bytes)
    throw damaged(origin, `${what}: it reaches element ${end} of a storage of ${bytes / unit}`);
  return bytes;
}

function bytesOf(what: string, storage: PickleStorage, storages: Storages, origin: Origin): number {
  const { key, dtype, count, offset } = storage;
  const unit = dtype === null ? 1 : DTYPE_BYTES[dtype];
  const there = storages.size(key);
  if (there === null) throw damaged(origin, `${what}: its storage data/${key} is not in the archive`);
  const wanted = ((offset ?? 0) + count) * unit;
  if (offset === undefined ? there === wanted : there >= wanted) return count * unit;
  throw damaged(origin, `${what}: its storage data/${key} has ${there} bytes instead of ${wanted}`);
}

/** Elements from a tensor's first to its last in the storage; 0 for an empty tensor. */
function span({ shape, stride }: PickleTensor): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((last, size, axis) => last + (size - 1) * stride[axis]!, 1);
}

/** The values of a checked tensor, row-major. */
export function readTensor(
  name: string,
  tensor: PickleTensor,
  storages: Storages,
  origin: Origin,
  scratch?: Scratch,
): Float32Array {
  const { dtype, storage, offset, shape, stride } = tensor;
  const what = `tensor ${JSON.stringify(name)}`;
  if (!isFloating(dtype))
    throw fault(origin, `${what} is of type ${dtype}; weights are F32, F16, BF16 or F64`);
  const unit = DTYPE_BYTES[dtype];
  const length = span(tensor) * unit;
  const inline = storage.kind === 'elements';
  const bytes = inline
    ? readElements(what, storage, storages, origin, scratch).subarray(offset * unit, offset * unit + length)
    : storages.read(storage.key, ((storage.offset ?? 0) + offset) * unit, length, scratch);
  const bigEndian = inline ? storage.bigEndian : storages.bigEndian;
  const values = toFloat32(dtype, bigEndian ? swapBytes(dtype, bytes) : bytes, scratch)!;
  return isRowMajor(shape, stride) ? values : gather(values, shape, stride);
}

/** All bytes of an array of NumPy's. */
function readElements(
  what: string,
  { bytes, dtype, count }: PickleElements,
  storages: Storages,
  origin: Origin,
  scratch?: Scratch,
): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  if (!bytes.latin1) return storages.readSpan(bytes, scratch);
  // The characters up to U+00FF take one byte in UTF-8, or two that begin with 0xC2 or 0xC3.
  const text = storages.readSpan(bytes, scratch);
  const decoded = new Uint8Array(count * DTYPE_BYTES[dtype]);
  let at = 0;
  let bad = false;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]!;
    const next = text[i + 1] ?? 0;
    if (byte < 0x80) decoded[at++] = byte;
    else {
      bad ||= (byte & 0xfe) !== 0xc2 || (next & 0xc0) !== 0x80;
      decoded[at++] = ((byte & 3) << 6) | (next & 0x3f);
      i++;
    }
  }
  if (bad || at !== decoded.length) throw damaged(origin, `${what}: its bytes are not those of its shape`);
  return decoded;
}

function isRowMajor(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Puts the elements of a strided view in row-major order. */
function gather(values: Float32Array, shape: readonly number[], stride: readonly number[]): Float32Array {
  const count = countElements(shape)!;
  const gathered = new Float32Array(count);
  const index = shape.map(() => 0);
  let at = 0;
  for (let i = 0; i < count; i++) {
    gathered[i] = values[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += stride[axis]!;
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      at -= stride[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return gathered;
}

export function damaged(origin: Origin, message: string) {
  return fault(origin, `${message}; the checkpoint is damaged: download, copy or save it again`);
}
