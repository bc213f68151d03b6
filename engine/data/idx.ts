// IDX, the format of MNIST and its relatives, as it is or packed by gzip: a file of images, and its labels beside it.
//
//   0, 0, type (8: uint8, 9: int8, 11: int16, 12: int32, 13: float32, 14: float64), dimensions, then the size of each in
//   four bytes, most significant first, then the values, row-major, most significant byte first
//
// Source: Y. LeCun, "The MNIST database of handwritten digits".

import path from 'node:path';
import { constants, gunzipSync, type ZlibOptions } from 'node:zlib';
import {
  type ByteSource,
  bytesInMemory,
  closeOnThrow,
  dataView,
  fault,
  type Origin,
} from '../../runtime/bytes.ts';
import { namesIn, openFile, readFile } from '../../runtime/host/node/files.ts';
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
/** Packed bytes that have the header in them: gzip's own may hold the name of the file. */
const PACKED_HEAD = 4096;

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
  const found = namesIn({ kind: 'input', label: folder }).filter((name) => LABELS.test(name));
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

/** By its first bytes, whatever the file is called. What is packed is unpacked to no more than its own header says. */
function openUnpacked(origin: Origin): ByteSource {
  const source = openFile(origin);
  const start = closeOnThrow(source, () => (source.size < 2 ? [] : source.read(0, 2)));
  if (start[0] !== 0x1f || start[1] !== 0x8b) return source;
  source.close();
  const packed = readFile(origin);
  // so few bytes unpack to few
  if (packed.length <= PACKED_HEAD) return bytesInMemory(unpacked(packed, origin, {}), origin);
  const beginning = unpacked(packed.subarray(0, PACKED_HEAD), origin, {
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  const { offset, bytes } = headerOf(bytesInMemory(beginning, origin), origin);
  const whole = offset + bytes;
  if (whole > MOST_UNPACKED) {
    throw fault(
      origin,
      `it would be unpacked to ${whole} bytes, and at most ${MOST_UNPACKED} are; unpack it with gunzip`,
    );
  }
  return bytesInMemory(unpacked(packed, origin, { maxOutputLength: whole }), origin);
}

function unpacked(packed: Uint8Array, origin: Origin, options: ZlibOptions): Uint8Array {
  try {
    return new Uint8Array(gunzipSync(packed, options));
  } catch (error) {
    const isLonger = error instanceof RangeError;
    const why = error instanceof Error ? error.message : String(error);
    const what = isLonger
      ? `it unpacks to more than the ${options.maxOutputLength} bytes that its header says`
      : `it cannot be unpacked (${why})`;
    throw fault(origin, `${what}; copy or download it again`, error);
  }
}

interface Header {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Where the values begin, and how many bytes they take. */
  readonly offset: number;
  readonly bytes: number;
}

function headerOf(source: ByteSource, origin: Origin): Header {
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
  const bytes = bytesOf(dtype, shape);
  if (bytes === null) throw fault(origin, `it says [${shape.join(', ')}] of ${dtype}, which no file holds`);
  return { dtype, shape, offset, bytes };
}

/** The array of an IDX file. Throws a RuntimeError of `origin.kind`. */
export function parseIdx(source: ByteSource, origin: Origin): Rows {
  const { dtype, shape, offset, bytes } = headerOf(source, origin);
  if (bytes !== source.size - offset) {
    throw fault(
      origin,
      `[${shape.join(', ')}] of ${dtype} takes ${bytes} bytes, and ${source.size - offset} follow the header; copy or ` +
        'download it again',
    );
  }
  return rowsIn(source, origin, { dtype, shape, offset, bigEndian: true });
}
