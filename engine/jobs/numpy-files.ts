// Reads NumPy's array files: `.npy`, and `.npz`, a zip archive of them as `numpy.savez` and `savez_compressed` write it.
// Source: NumPy, "numpy.lib.format".

import { type ByteSource, fault, type Origin } from '../../runtime/bytes.ts';
import { openFile } from '../../runtime/host/node/files.ts';
import { countElements, DTYPE_BYTES, type Dtype } from '../../runtime/weights/dtypes.ts';
import { openZip, type Zip, type ZipEntry } from '../../runtime/weights/zip.ts';

/** An array in row-major order, its bytes little-endian. */
export interface StoredArray {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** numpy.savez stores; what savez_compressed packs is unpacked up to this size. */
const MAX_UNPACKED = 128 * 2 ** 20;

/** Element types by NumPy's codes. */
const DTYPES: Readonly<Record<string, Dtype>> = {
  '|u1': 'U8',
  '|i1': 'I8',
  '|b1': 'BOOL',
  '<u2': 'U16',
  '<i2': 'I16',
  '<u4': 'U32',
  '<i4': 'I32',
  '<u8': 'U64',
  '<i8': 'I64',
  '<f2': 'F16',
  '<f4': 'F32',
  '<f8': 'F64',
};

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const;

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
  if (isNpy(source.read(0, Math.min(source.size, MAGIC.length)))) {
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

function isNpy(file: Uint8Array): boolean {
  return file.length >= MAGIC.length && MAGIC.every((byte, i) => file[i] === byte);
}

/** One `.npy`. `name` is what messages call the array. */
function parseNpy(file: Uint8Array, name: string, origin: Origin): StoredArray {
  const damaged = (why: string) =>
    fault(origin, `${name}: ${why}; save it again with numpy.save or numpy.savez`);
  const wide = file[6] === 2 || file[6] === 3;
  const start = wide ? 12 : 10;
  if (!isNpy(file) || file.length < start) throw damaged('this is no array of NumPy');
  const length = file[8]! | (file[9]! << 8) | (wide ? (file[10]! << 16) | (file[11]! << 24) : 0);
  if (length < 0 || start + length > file.length) throw damaged('its header is cut off');
  const header = new TextDecoder().decode(file.subarray(start, start + length));
  const descr = /'descr':\s*'([^']{1,16})'/.exec(header)?.[1];
  const sizes = /'shape':\s*\(([\d, ]{0,400})\)/.exec(header)?.[1];
  if (descr === undefined || sizes === undefined) throw damaged('its header is not that of an array');
  const dtype = Object.hasOwn(DTYPES, descr) ? DTYPES[descr]! : null;
  if (dtype === null)
    throw fault(origin, `${name}: elements of type '${descr}' are not read; store numbers, little-endian`);
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const bytes = file.subarray(start + length);
  if (/'fortran_order':\s*True/.test(header) && shape.length > 1) {
    throw fault(origin, `${name}: it is in Fortran's order; save numpy.ascontiguousarray of it`);
  }
  const expected = (countElements(shape) ?? Number.NaN) * DTYPE_BYTES[dtype];
  if (expected !== bytes.length) {
    throw damaged(`[${shape.join(', ')}] of '${descr}' takes ${expected} bytes, and it has ${bytes.length}`);
  }
  return { dtype, shape, bytes };
}
