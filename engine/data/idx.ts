// IDX, the format of MNIST and its relatives, as it is or packed by gzip: a file of images, and its labels beside it.
//
//   0, 0, type (8: uint8, 9: int8, 11: int16, 12: int32, 13: float32, 14: float64), dimensions, then the size of each in
//   four bytes, most significant first, then the values, row-major, most significant byte first
//
// Source: Y. LeCun, "The MNIST database of handwritten digits".

import fs from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  type ByteSource,
  bytesInMemory,
  closeOnThrow,
  dataView,
  fault,
  type Origin,
} from '../../runtime/bytes.ts';
import { openFile, readFile } from '../../runtime/host/node/files.ts';
import type { Dtype } from '../../runtime/weights/dtypes.ts';
import type { ArraySet } from './array-set.ts';
import { bytesOf, labelsOf, type Rows, rowsIn } from './rows.ts';

const DTYPES: Readonly<Record<number, Dtype>> = {
  8: 'U8',
  9: 'I8',
  11: 'I16',
  12: 'I32',
  13: 'F32',
  14: 'F64',
};
/** Packed files are unpacked into memory, and to no more than this. */
const MOST_UNPACKED = 2 ** 31 - 1;

/** `train-images-idx3-ubyte.gz`, `t10k-images.idx3-ubyte`, `emnist-letters-train-images-idx3-ubyte`. */
const IMAGES = /images?[-.]idx\d(-[a-z0-9]+)?(\.gz)?$/i;
const LABELS = /labels?[-.]idx\d(-[a-z0-9]+)?(\.gz)?$/i;

/** Whether a file's name is one of IDX. */
export function isIdxName(name: string): boolean {
  return IMAGES.test(name) || LABELS.test(name) || /\.idx(\d-[a-z0-9]+)?(\.gz)?$/i.test(name);
}

/** The file of images in a folder to train with: the one for training where there are several. */
export function idxImages(names: readonly string[], origin: Origin): string | null {
  const images = names.filter((name) => IMAGES.test(name));
  const train = images.filter((name) => /train/i.test(name));
  const chosen = train.length > 0 ? train : images;
  if (chosen.length <= 1) return chosen[0] ?? null;
  // the same file with and without .gz is one
  const plain = new Set(chosen.map((name) => name.replace(/\.gz$/i, '')));
  if (plain.size === 1) return chosen.toSorted()[0]!;
  throw fault(
    origin,
    `it has ${chosen.length} files of images (${chosen.slice(0, 4).join(', ')}); name one of them`,
  );
}

/** Opens a file of images, and its labels where they lie beside it. Throws RuntimeError('input'). */
export function openIdx(file: string): ArraySet {
  if (LABELS.test(path.basename(file))) {
    throw fault(
      { kind: 'input', label: file },
      'these are labels; name the file of images, and they are found beside it',
    );
  }
  const { rows: images, close } = idxRows(file);
  return closeOnThrow({ close }, () => {
    const beside = labelsBeside(file);
    return {
      kind: 'idx',
      images,
      labels: beside === null ? null : readLabels(beside, images.shape[0]!),
      names: null,
      low_res: null,
      channels: 'last',
      notes: beside === null ? [`${file}: no file of labels lies beside it`] : [],
      close,
    };
  });
}

function readLabels(file: string, samples: number) {
  const { rows, close } = idxRows(file);
  try {
    return labelsOf(rows, samples);
  } finally {
    close();
  }
}

/** `…-images-idx3-ubyte.gz` to `…-labels-idx1-ubyte`, packed or not; the case of names is not minded. */
function labelsBeside(file: string): string | null {
  const folder = path.dirname(file);
  const plain = (name: string) => name.toLowerCase().replace(/\.gz$/, '');
  const wanted = plain(path.basename(file))
    .replace(/images?(?=[-.]idx)/, 'labels')
    .replace(/idx\d/, 'idx1');
  const found = fs
    .readdirSync(folder)
    .filter((name) => LABELS.test(name))
    .toSorted();
  const name = found.find((one) => plain(one).replace(/label(?=[-.])/, 'labels') === wanted);
  return name === undefined ? null : path.join(folder, name);
}

function idxRows(file: string): { readonly rows: Rows; readonly close: () => void } {
  const origin: Origin = { kind: 'input', label: file };
  const source = openUnpacked(origin);
  return closeOnThrow(source, () => {
    return { rows: parseIdx(source, origin), close: () => source.close() };
  });
}

/** By its first bytes, whatever the file is called. */
function openUnpacked(origin: Origin): ByteSource {
  const source = openFile(origin);
  const start = source.size < 2 ? [] : source.read(0, 2);
  if (start[0] !== 0x1f || start[1] !== 0x8b) return source;
  source.close();
  const packed = readFile(origin);
  try {
    return bytesInMemory(new Uint8Array(gunzipSync(packed, { maxOutputLength: MOST_UNPACKED })), origin);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw fault(origin, `it cannot be unpacked (${why}); copy or download it again`, error);
  }
}

/** The array of an IDX file. Throws a RuntimeError of `origin.kind`. */
export function parseIdx(source: ByteSource, origin: Origin): Rows {
  const start = source.read(0, Math.min(4, source.size));
  const dtype = DTYPES[start[2] ?? 0];
  const dimensions = start[3] ?? 0;
  if (start[0] !== 0 || start[1] !== 0 || dtype === undefined || dimensions < 1 || dimensions > 5) {
    const found = [...start].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw fault(
      origin,
      `it begins with ${found || 'nothing'}, and IDX with 00 00, a type and the number of dimensions`,
    );
  }
  const offset = 4 + 4 * dimensions;
  if (source.size < offset) throw fault(origin, 'it ends in its header; copy or download it again');
  const view = dataView(source.read(4, 4 * dimensions));
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 * i));
  const wanted = bytesOf(dtype, shape);
  if (wanted !== source.size - offset) {
    throw fault(
      origin,
      `[${shape.join(', ')}] of ${dtype} takes ${wanted} bytes, and ${source.size - offset} follow the header; copy or ` +
        'download it again',
    );
  }
  return rowsIn(source, origin, { dtype, shape, offset, bigEndian: true });
}
