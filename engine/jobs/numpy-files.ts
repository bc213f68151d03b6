// Reads NumPy's array files: `.npy`, and `.npz`, a zip archive of them as `numpy.savez` and `savez_compressed` write it.
// Source: NumPy, "numpy.lib.format".

import { type ByteSource, fault, type Origin } from '../../runtime/bytes.ts';
import { openFile } from '../../runtime/host/node/files.ts';
import { type Dtype, swapBytes } from '../../runtime/weights/dtypes.ts';
import { openZip, type Zip, type ZipEntry } from '../../runtime/weights/zip.ts';
import { beginsAsNpy, readNpyHeader } from '../data/npy-header.ts';

/** An array in row-major order, its bytes little-endian. */
export interface StoredArray {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** numpy.savez stores; what savez_compressed packs is unpacked up to this size. */
const MAX_UNPACKED = 128 * 2 ** 20;

/**
 * The arrays of a `.npz` by name that are among `names`, or of a `.npy` its one, under the first name. Throws a
 * RuntimeError of `origin.kind` that says what the file is instead.
 */
export function readArrays(origin: Origin, names: readonly string[]): ReadonlyMap<string, StoredArray> {
  const source = openFile(origin);
  try {
    return arraysIn(source, origin, names);
  } finally {
    source.close();
  }
}

/** The same of bytes that are open already. */
export function arraysIn(
  source: ByteSource,
  origin: Origin,
  names: readonly string[],
): ReadonlyMap<string, StoredArray> {
  if (beginsAsNpy(source.read(0, Math.min(source.size, 6)))) {
    return new Map([[names[0]!, parseNpy(source.read(0, source.size), names[0]!, origin)]]);
  }
  return readArchive(source, origin, names);
}

function readArchive(
  source: ByteSource,
  origin: Origin,
  names: readonly string[],
): ReadonlyMap<string, StoredArray> {
  const zip = openZip(source, origin);
  const found = names.flatMap((name) => {
    const entry = zip.entries.get(`${name}.npy`);
    return entry === undefined
      ? []
      : [[name, parseNpy(entryBytes(zip, entry, origin), name, origin)] as const];
  });
  if (found.length > 0) return new Map(found);
  const there = [...zip.entries.keys()].slice(0, 8).map((name) => JSON.stringify(name));
  throw fault(origin, `there is no array ${names[0]} in this archive, only ${there.join(', ') || 'nothing'}`);
}

function entryBytes(zip: Zip, entry: ZipEntry, origin: Origin): Uint8Array {
  if (entry.method === 'deflate' && entry.size > MAX_UNPACKED) {
    throw fault(
      origin,
      `${entry.name} is packed and has ${entry.size} bytes; packed arrays are read up to ${MAX_UNPACKED / 2 ** 20} MB: ` +
        'save it with numpy.savez, which does not pack',
    );
  }
  return zip.read(entry);
}

/** One `.npy`. `name` is what messages call the array. */
function parseNpy(file: Uint8Array, name: string, { kind, label }: Origin): StoredArray {
  const read = (offset: number, length: number) => file.subarray(offset, offset + length);
  const place = readNpyHeader(read, file.length, { kind, label: `${label}: ${name}` });
  const { dtype, shape, offset, bigEndian } = place;
  const bytes = file.subarray(offset);
  return { dtype, shape, bytes: bigEndian ? swapBytes(dtype, bytes) : bytes };
}
