// Writes NumPy's array files: `.npy`, and `.npz`, a zip archive of them as `numpy.savez` writes it, stored and not packed.
//
//   \x93NUMPY, version 1.0, length of the header, {'descr', 'fortran_order', 'shape'} padded to 64 bytes, the values
//
// Source: NumPy, "numpy.lib.format"; PKWARE APPNOTE.TXT 6.3, sections 4.3 and 4.5.3 (zip64). Archives are written from
// front to back: checksums and sizes stand behind the data of an entry and in the directory.

import { crc32 } from 'node:zlib';

/** An array, its bytes made when their turn comes. */
export interface NpyArray {
  /** Bytes of unsigned 8-bit values, or little-endian signed 64-bit ones. */
  readonly dtype: '|u1' | '<i8';
  readonly shape: readonly number[];
  values(): Iterable<Uint8Array>;
}

export function* npyChunks({ dtype, shape, values }: NpyArray): Generator<Uint8Array> {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = new Uint8Array(10 + length);
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 0xff, length >> 8]);
  header.set(new TextEncoder().encode(`${text.padEnd(length - 1)}\n`), 10);
  yield header;
  yield* values();
}

/** `.npz` of arrays by name. */
export function* npzChunks(arrays: ReadonlyMap<string, NpyArray>): Generator<Uint8Array> {
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, array] of arrays) {
    const file = new TextEncoder().encode(`${name}.npy`);
    const local = localHeader(file);
    yield local;
    let [crc, size] = [0, 0];
    for (const chunk of npyChunks(array)) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      yield chunk;
    }
    yield descriptor(crc, size);
    directory.push(directoryEntry(file, crc, size, offset));
    offset += local.length + size + 24;
  }
  yield* directory;
  const bytes = directory.reduce((sum, { length }) => sum + length, 0);
  yield directoryEnd(directory.length, bytes, offset);
}

/** Sizes and checksum follow behind the data (bit 3), in 64 bits; the date is 1980-01-01. */
const VERSION = 45;
const FLAGS = 1 << 3;
const DATE = (1 << 5) | 1;
const LATER = 0xffffffff;

/** Little-endian fields: [bytes, value]. */
function fields(list: readonly (readonly [size: 2 | 4 | 8, value: number])[]): Uint8Array {
  const bytes = new Uint8Array(list.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of list) {
    if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += size;
  }
  return bytes;
}

function localHeader(name: Uint8Array): Uint8Array {
  const head = fields([
    [4, 0x04034b50],
    ...([VERSION, FLAGS, 0, 0, DATE] as const).map((value) => [2, value] as const),
    [4, 0],
    [4, LATER],
    [4, LATER],
    [2, name.length],
    [2, 20],
  ]);
  const sizes = fields([
    [2, 1],
    [2, 16],
    [8, 0],
    [8, 0],
  ]);
  return joined([head, name, sizes]);
}

function descriptor(crc: number, size: number): Uint8Array {
  return fields([
    [4, 0x08074b50],
    [4, crc],
    [8, size],
    [8, size],
  ]);
}

function directoryEntry(name: Uint8Array, crc: number, size: number, offset: number): Uint8Array {
  const head = fields([
    [4, 0x02014b50],
    ...([VERSION, VERSION, FLAGS, 0, 0, DATE] as const).map((value) => [2, value] as const),
    [4, crc],
    [4, LATER],
    [4, LATER],
    [2, name.length],
    [2, 28],
    ...([0, 0, 0] as const).map((value) => [2, value] as const),
    [4, 0],
    [4, LATER],
  ]);
  const places = fields([
    [2, 1],
    [2, 24],
    [8, size],
    [8, size],
    [8, offset],
  ]);
  return joined([head, name, places]);
}

/** The zip64 end, its locator, and the end that old readers look for. */
function directoryEnd(count: number, bytes: number, offset: number): Uint8Array {
  return fields([
    [4, 0x06064b50],
    [8, 44],
    [2, VERSION],
    [2, VERSION],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, bytes],
    [8, offset],
    [4, 0x07064b50],
    [4, 0],
    [8, offset + bytes],
    [4, 1],
    [4, 0x06054b50],
    ...([0, 0, 0xffff, 0xffff] as const).map((value) => [2, value] as const),
    [4, LATER],
    [4, LATER],
    [2, 0],
  ]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Labels as NumPy's int64. */
export function int64Array(values: readonly number[]): NpyArray {
  const data = BigInt64Array.from(values, BigInt);
  return { dtype: '<i8', shape: [values.length], values: () => [new Uint8Array(data.buffer)] };
}
