// An array of samples in a file, read row by row, so that no file is ever held whole but for what is packed.

import type { ByteSource, Origin } from '../../runtime/bytes.ts';
import { fault } from '../../runtime/bytes.ts';
import { elements } from '../../runtime/tensor.ts';
import {
  countElements,
  DTYPE_BYTES,
  type Dtype,
  decode,
  swapBytes,
  type TensorData,
} from '../../runtime/weights/dtypes.ts';

export interface Rows {
  /** The file, and the name of the array where the file has several. */
  readonly origin: Origin;
  readonly dtype: Dtype;
  /** [N, ...sizes of a sample]. */
  readonly shape: readonly number[];
  /** The values of a row, or of so many; of type F16 and BF16 as float32. The caller must not write to them. */
  read(row: number, rows?: number): TensorData;
}

/** Rows that lie one behind the other from `offset` on. */
export function rowsIn(
  source: Pick<ByteSource, 'read'>,
  origin: Origin,
  { dtype, shape, offset, bigEndian = false }: Place,
): Rows {
  const length = elements(shape.slice(1)) * DTYPE_BYTES[dtype];
  return {
    origin,
    dtype,
    shape,
    read(row, rows = 1) {
      const bytes = source.read(offset + row * length, rows * length);
      return decode(dtype, bigEndian ? swapBytes(dtype, bytes) : bytes);
    },
  };
}

export interface Place {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly bigEndian?: boolean;
}

/** Bytes that an array of this type and shape takes, or null where no file could hold them. */
export function bytesOf(dtype: Dtype, shape: readonly number[]): number | null {
  const count = countElements(shape);
  const bytes = count === null ? Number.NaN : count * DTYPE_BYTES[dtype];
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Labels of samples with the file that they came from. */
export interface Labels {
  readonly origin: Origin;
  readonly ids: Int32Array;
}

/**
 * An array of labels, [N] or [N, 1], whole numbers from 0 on of any type. Throws RuntimeError('input') where they are
 * something else, or not as many as the samples.
 */
export function labelsOf(rows: Rows, samples: number): Labels {
  const { origin, shape } = rows;
  const flat = shape.length === 1 || (shape.length === 2 && shape[1] === 1);
  if (!flat || shape[0] !== samples) {
    throw fault(
      origin,
      `the labels are [${shape.join(', ')}], and there are ${samples} samples; one label a sample makes them [${samples}]`,
    );
  }
  const found = rows.read(0, samples);
  const ids = Int32Array.from({ length: samples }, (_, row) => {
    const label = Number(found[row]);
    if (Number.isInteger(label) && label >= 0 && label < 2 ** 31) return label;
    throw fault(origin, `label ${row} is ${label}; labels are whole numbers from 0 on`);
  });
  return { origin, ids };
}
