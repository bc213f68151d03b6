// Reads safetensors: 8 bytes of header length (little-endian), a JSON header of names, types, shapes and extents,
// then the data. Every offset is checked before any tensor is read: inside the file, no overlap, no hole.
// Source: the format's specification, github.com/huggingface/safetensors.

import { type ByteSource, bytesInMemory, dataView, decodeUtf8, fault, type Origin } from '../bytes.ts';
import * as s from '../schema.ts';
import { holdAgainst } from '../schema-faults.ts';
import type { Tensor } from '../tensor.ts';
import {
  countElements,
  DTYPE_BYTES,
  type Dtype,
  decode,
  isDtype,
  type TensorData,
  toFloat32,
} from './dtypes.ts';
import { duplicateKey } from './duplicate-key.ts';
import type { WeightSource } from './source.ts';

/** The reference implementation's own limit on the header. */
const MAX_HEADER = 100_000_000;

/** A tensor's place in the file; `offset` counts from the start of the file. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

export interface SafetensorsHeader {
  /** In the order of their data. */
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** A tensor as a file holds it; F16 and BF16 are decoded to float32, `dtype` still says what was stored. */
export interface StoredTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

const Size = s.whole(0);
const Entry = s.object({
  dtype: s.text,
  shape: s.list(Size, 0, 32),
  data_offsets: s.tuple(Size, Size),
});
const Metadata = s.record(s.text);

/** Parses and checks the header. Throws a RuntimeError of `origin.kind`. */
export function readHeader(source: ByteSource, origin: Origin): SafetensorsHeader {
  if (source.size < 8)
    throw damaged(
      origin,
      `it has ${source.size} bytes, and a safetensors file begins with 8 of header length`,
    );
  const length = Number(dataView(source.read(0, 8)).getBigUint64(0, true));
  if (length > MAX_HEADER)
    throw damaged(origin, `its header claims ${length} bytes; at most ${MAX_HEADER} are allowed`);
  if (8 + length > source.size) {
    throw damaged(origin, `its header claims ${length} bytes, but the file has only ${source.size}`);
  }
  const json = parseHeader(source.read(8, length), origin);
  const base = 8 + length;
  const entries: SafetensorsEntry[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') metadata = parseMetadata(value, origin);
    else entries.push(parseEntry(name, value, base, origin));
  }
  entries.sort((a, b) => a.offset - b.offset || a.length - b.length);
  checkCovers(entries, base, source.size, origin);
  return { entries, metadata };
}

function parseHeader(bytes: Uint8Array, origin: Origin): object {
  const text = decodeUtf8(bytes);
  if (text === null) throw damaged(origin, 'its header is not valid UTF-8');
  if (text[0] !== '{') throw damaged(origin, 'its header does not begin with {');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw damaged(origin, `its header is not valid JSON: ${error instanceof Error ? error.message : error}`);
  }
  const twice = duplicateKey(text);
  if (twice !== null) throw damaged(origin, `its header has the key ${JSON.stringify(twice)} twice`);
  if (typeof json !== 'object' || json === null) throw damaged(origin, 'its header is not a JSON object');
  return json;
}

function parseMetadata(value: unknown, origin: Origin): ReadonlyMap<string, string> {
  const parsed = holdAgainst(Metadata, value);
  if (!parsed.success) throw damaged(origin, 'its __metadata__ is not a map from text to text');
  return new Map(Object.entries(parsed.data));
}

function parseEntry(name: string, value: unknown, base: number, origin: Origin): SafetensorsEntry {
  const tensor = `tensor ${JSON.stringify(name)}`;
  const parsed = holdAgainst(Entry, value);
  if (!parsed.success) {
    throw damaged(origin, `${tensor}: ${parsed.faults[0]}`);
  }
  const { dtype, shape, data_offsets } = parsed.data;
  if (!isDtype(dtype)) {
    const known = Object.keys(DTYPE_BYTES).join(' ');
    throw fault(origin, `${tensor} is of type ${JSON.stringify(dtype)}; convert it to one of ${known}`);
  }
  const [begin, end] = data_offsets;
  const elements = countElements(shape);
  const length = (elements ?? Number.POSITIVE_INFINITY) * DTYPE_BYTES[dtype];
  if (end - begin !== length) {
    throw damaged(
      origin,
      `${tensor}: data_offsets [${begin}, ${end}] hold ${end - begin} bytes, but ${dtype} [${shape.join(', ')}] takes ${length}`,
    );
  }
  return { name, dtype, shape, offset: base + begin, length };
}

/** The tensors must lie one after the other from the header to the end of the file. */
function checkCovers(entries: readonly SafetensorsEntry[], base: number, size: number, origin: Origin): void {
  let end = base;
  for (const entry of entries) {
    if (entry.offset !== end) {
      const what =
        entry.offset < end
          ? 'overlaps the one before it'
          : `leaves a hole of ${entry.offset - end} bytes before it`;
      throw damaged(origin, `tensor ${JSON.stringify(entry.name)} ${what}`);
    }
    end += entry.length;
  }
  if (end === size) return;
  throw damaged(origin, `its tensors end at byte ${end}, but the file has ${size}`);
}

function damaged(origin: Origin, message: string) {
  return fault(origin, `${message}; the file is damaged: download, copy or convert it again`);
}

/** A checkpoint in safetensors form. Tensors are read when asked for, so that the file is never held whole. */
export function safetensorsWeights(source: ByteSource, label: string, file = label): WeightSource {
  const origin: Origin = { kind: 'weights', label };
  const { entries } = readHeader(source, origin);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return {
    label,
    stem: `${file}#`,
    tensors: entries.map(({ name, shape }) => ({ name, shape })),
    read(name, shape, scratch) {
      const entry = byName.get(name);
      if (entry === undefined) throw fault(origin, `there is no tensor ${JSON.stringify(name)}`);
      const values = toFloat32(entry.dtype, source.read(entry.offset, entry.length, scratch), scratch);
      if (values === null) throw notFloating(origin, name, entry.dtype);
      if (values.length !== countElements(shape)) {
        throw fault(
          origin,
          `tensor ${JSON.stringify(name)} is [${entry.shape.join(', ')}], not [${shape.join(', ')}]`,
        );
      }
      return values;
    },
    close: () => source.close(),
  };
}

/** A weight that is no floating-point tensor. */
export function notFloating(origin: Origin, name: string, dtype: string) {
  return fault(
    origin,
    `tensor ${JSON.stringify(name)} is of type ${dtype}; weights are F32, F16, BF16 or F64`,
  );
}

/** All tensors of a safetensors file by name, in the order of their data. */
export function readTensors(bytes: Uint8Array, origin: Origin): Map<string, StoredTensor> {
  const source = bytesInMemory(bytes, origin);
  const { entries } = readHeader(source, origin);
  return new Map(entries.map((entry) => [entry.name, readEntry(entry, source)]));
}

/** One tensor of a file whose header was read. */
export function readEntry(
  { dtype, shape, offset, length }: SafetensorsEntry,
  source: ByteSource,
): StoredTensor {
  return { dtype, shape, data: decode(dtype, source.read(offset, length)) };
}

/** A tensor of `readTensors` as float32, whatever numbers were stored (int64 labels, float64 timesteps). */
export function asFloat32({ shape, data }: StoredTensor): Tensor {
  if (data instanceof Float32Array) return { shape, data };
  return { shape, data: Float32Array.from(data as ArrayLike<number | bigint>, Number) };
}
