// Arrays of NumPy's as pickles have them: `_reconstruct` makes an empty one, BUILD tells its shape, type and bytes, and
// from protocol 5 on `_frombuffer` makes it whole. The bytes lie in the pickle.
// Source of the layout: NumPy's numpy/_core/src/multiarray/methods.c (array_reduce, array_setstate) and descriptor.c.

import { countElements, DTYPE_BYTES, NUMPY_DTYPES } from '../dtypes.ts';
import {
  isKind,
  naturals,
  type PickleArray,
  type PickleArrayType,
  type PickleElements,
  type PickleTensor,
  type PickleValue,
} from './pickle-values.ts';

/** `dtype('f4', …)`. */
export function arrayType([code]: readonly PickleValue[]): PickleArrayType {
  const dtype = typeof code === 'string' && Object.hasOwn(NUMPY_DTYPES, code) ? NUMPY_DTYPES[code]! : null;
  return { kind: 'array_type', dtype, bigEndian: false };
}

/** The state of an element type, `(3, '<', …)`: its byte order is the second. */
export function buildArrayType(type: PickleArrayType, state: PickleValue): void {
  type.bigEndian = isKind(state, 'tuple') && state.items[1] === '>';
}

/**
 * The state of an array, `(1, shape, type, is_fortran, bytes)`, the first left out in old ones. What is wrong with it as
 * text, or null. An array of elements that are not read (objects, complex numbers) stays empty.
 */
export function buildArray(array: PickleArray, state: PickleValue): string | null {
  if (!isKind(state, 'tuple') || state.items.length < 4) return 'tells an array nothing that makes one';
  const [shape, type, fortran, data] = state.items.slice(-4);
  const made = makeTensor(shape, type, fortran === true || fortran === 1, data);
  if (typeof made === 'string') return made;
  array.tensor = made;
  return null;
}

/** `_frombuffer(bytes, type, shape, 'C' or 'F')`. */
export function arrayOfBuffer([data, type, shape, order]: readonly PickleValue[]): PickleArray | string {
  const tensor = makeTensor(shape, type, order === 'F', data);
  return typeof tensor === 'string' ? tensor : { kind: 'array', tensor };
}

/** A tensor over bytes in the pickle, null where the elements are not read, or what is wrong as text. */
function makeTensor(
  dimensions: PickleValue | undefined,
  type: PickleValue | undefined,
  fortran: boolean,
  data: PickleValue | undefined,
): PickleTensor | null | string {
  if (!isKind(type, 'array_type') || type.dtype === null) return null;
  const shape = naturals(dimensions);
  const count = shape && countElements(shape);
  const bytes = bytesOf(data);
  if (shape === null || count === null || bytes === null) return 'tells an array nothing that makes one';
  const { dtype, bigEndian } = type;
  const wanted = count * DTYPE_BYTES[dtype];
  // Each byte is a character of one or two bytes in UTF-8: their number shows only when they are read.
  const most = 'latin1' in bytes && bytes.latin1 ? 2 * wanted : wanted;
  if (bytes.length < wanted || bytes.length > most) {
    return `has an array [${shape.join(', ')}] of ${dtype} in ${bytes.length} bytes instead of ${wanted}`;
  }
  const storage: PickleElements = { kind: 'elements', dtype, count, bytes, bigEndian };
  const stride = fortran ? columnMajor(shape) : columnMajor(shape.toReversed()).toReversed();
  return { kind: 'tensor', storage, dtype, offset: 0, shape, stride };
}

/** Python 2 writes bytes as text, which was read as UTF-8. */
function bytesOf(data: PickleValue | undefined): PickleElements['bytes'] | null {
  if (typeof data === 'string') return new TextEncoder().encode(data);
  return isKind(data, 'bytes') || isKind(data, 'text') ? data.value : null;
}

/** Strides where the first dimension is the fastest. */
function columnMajor(shape: readonly number[]): number[] {
  let stride = 1;
  return shape.map((size) => {
    const own = stride;
    stride *= size;
    return own;
  });
}
