// `.npz` and `.npy` as data: images by the name that people give them, labels by the name beside it. Stored arrays are read
// row by row; deflated ones (numpy.savez_compressed) are unpacked whole.

import { type ByteSource, closeOnThrow, fault, type Origin } from '../../runtime/bytes.ts';
import { openFile } from '../../runtime/host/node/files.ts';
import { openZip, type Zip, type ZipEntry } from '../../runtime/weights/zip.ts';
import type { ArraySet } from './array-set.ts';
import { readNpyHeader } from './npy-header.ts';
import { labelsOf, type Rows, rowsIn } from './rows.ts';

/** Names of images with the names that their labels have; the first that a file has count. */
const NAMES: readonly (readonly [images: string, ...labels: readonly string[]])[] = [
  ['x_start', 'y', 'labels'],
  // what numpy.savez(file, images, labels) writes, and `unetc sample --format npz`
  ['arr_0', 'arr_1'],
  ['images', 'labels', 'y'],
  ['samples', 'labels', 'y'],
  ['x_train', 'y_train'],
  ['train_images', 'train_labels'],
  ['data', 'labels', 'target', 'y'],
  ['x', 'y', 'labels'],
];

/** Deflated arrays larger than this are not unpacked into memory. */
const MOST_UNPACKED = 4 * 2 ** 30 - 1;

/** Throws RuntimeError('input'). */
export function openNpz(file: string): ArraySet {
  const origin: Origin = { kind: 'input', label: file };
  const source = openFile(origin);
  return closeOnThrow(source, () => {
    const zip = openZip(source, origin);
    const arrays = [...zip.entries.keys()].flatMap((name) =>
      name.endsWith('.npy') ? [name.slice(0, -4)] : [],
    );
    const { images, labels } = chooseArrays(arrays, origin);
    const rows = entryRows(zip, images, origin);
    return {
      kind: 'npz',
      images: rows,
      labels: labels === null ? null : labelsOf(entryRows(zip, labels, origin), rows.shape[0]!),
      names: null,
      low_res: arrays.includes('low_res') ? entryRows(zip, 'low_res', origin) : null,
      channels: 'last',
      notes: [],
      close: () => source.close(),
    };
  });
}

/** Throws RuntimeError('input'). */
export function openNpy(file: string): ArraySet {
  const origin: Origin = { kind: 'input', label: file };
  const source = openFile(origin);
  return closeOnThrow(source, () => {
    return {
      kind: 'npy',
      images: npyRows(source, origin),
      labels: null,
      names: null,
      low_res: null,
      channels: 'last',
      notes: [],
      close: () => source.close(),
    };
  });
}

function chooseArrays(
  arrays: readonly string[],
  origin: Origin,
): { readonly images: string; readonly labels: string | null } {
  const known = NAMES.find(([images]) => arrays.includes(images));
  if (known !== undefined) {
    const [images, ...labels] = known;
    return { images, labels: labels.find((name) => arrays.includes(name)) ?? null };
  }
  if (arrays.length === 1) return { images: arrays[0]!, labels: null };
  const found = arrays.length === 0 ? 'no array' : arrays.slice(0, 12).join(', ');
  throw fault(
    origin,
    `it has ${found}; images are called ${NAMES.map(([images]) => images).join(', ')}, or are the only array`,
  );
}

function entryRows(zip: Zip, name: string, file: Origin): Rows {
  const entry = zip.entries.get(`${name}.npy`)!;
  const origin: Origin = { kind: 'input', label: `${file.label}: ${name}` };
  if (entry.method === 'stored') {
    return npyRows({ size: entry.size, read: (offset, length) => zip.read(entry, offset, length) }, origin);
  }
  if (entry.size > MOST_UNPACKED) {
    throw fault(origin, `it unpacks to ${entry.size} bytes; save it with numpy.savez, which does not pack`);
  }
  return unpackedRows(zip, entry, origin);
}

function unpackedRows(zip: Zip, entry: ZipEntry, origin: Origin): Rows {
  const bytes = zip.read(entry);
  return npyRows(
    { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) },
    origin,
  );
}

function npyRows(source: Pick<ByteSource, 'size' | 'read'>, origin: Origin): Rows {
  const place = readNpyHeader((offset, length) => source.read(offset, length), source.size, origin);
  if (place.shape.length === 0) throw fault(origin, 'it is one number, and no array of samples');
  return rowsIn(source, origin, place);
}
