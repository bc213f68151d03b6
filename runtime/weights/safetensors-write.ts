// Writes safetensors: the same tensors give the same bytes. Data is ordered by element size, then as given (a
// checkpoint keeps its order), and begins at a multiple of 8 bytes, so that every tensor is aligned in a mapped file.

import { countElements, DTYPE_BYTES, type Dtype, dtypeOf, type TensorData } from './dtypes.ts';
import type { TensorInfo } from './source.ts';

/** A tensor to be written, its values made when its turn comes. */
export interface TensorToWrite extends TensorInfo {
  readonly dtype: Dtype;
  data(): TensorData;
}

/** The key of the header that no tensor may be called by. */
export const METADATA = '__metadata__';

/**
 * The file in pieces: the header, then one tensor at a time, so that a large checkpoint is never held whole.
 * `metadata` is text by text. Names must differ from each other and from `__metadata__`.
 */
export function* safetensorsChunks(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array> {
  const ordered = tensors.toSorted((a, b) => DTYPE_BYTES[b.dtype] - DTYPE_BYTES[a.dtype]);
  yield encodeHeader(headerOf(ordered, metadata));
  for (const tensor of ordered) {
    const data = tensor.data();
    if (data.length !== countElements(tensor.shape) || !holds(data, tensor.dtype)) {
      throw new Error(
        `internal: tensor ${tensor.name} has ${data.length} elements for [${tensor.shape.join(', ')}]`,
      );
    }
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
}

/** Whether an array has values of a type as they are stored; float16 has no array of its own. */
function holds(data: TensorData, dtype: Dtype): boolean {
  return dtype === 'F16' ? data instanceof Uint16Array : dtypeOf(data) === dtype;
}

/** Bytes of a tensor's values. */
export function bytesOf({ shape, dtype }: Pick<TensorToWrite, 'shape' | 'dtype'>): number {
  return (countElements(shape) ?? Number.NaN) * DTYPE_BYTES[dtype];
}

/** What the header says, by name. */
function headerOf(
  ordered: readonly Omit<TensorToWrite, 'data'>[],
  metadata: Readonly<Record<string, string>>,
): ReadonlyMap<string, unknown> {
  const header = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) header.set(METADATA, metadata);
  let end = 0;
  for (const { name, dtype, shape } of ordered) {
    if (header.has(name) || name === METADATA) throw new Error(`internal: the tensor name ${name} is taken`);
    const begin = end;
    end += bytesOf({ shape, dtype });
    header.set(name, { dtype, shape, data_offsets: [begin, end] });
  }
  return header;
}

/** Length and JSON, padded with spaces to a multiple of 8. Built from pairs: a name such as `__proto__` is data too. */
function encodeHeader(header: ReadonlyMap<string, unknown>): Uint8Array {
  const pairs = [...header].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const json = new TextEncoder().encode(`{${pairs.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

/** A whole safetensors file in memory; each array's element type is the tensor's. */
export function writeTensors(
  tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: TensorData }>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const toWrite = [...tensors].map(
    ([name, { shape, data }]): TensorToWrite => ({ name, shape, dtype: dtypeOf(data), data: () => data }),
  );
  const chunks = [...safetensorsChunks(toWrite, metadata)];
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
