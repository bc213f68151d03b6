// Element types of tensors in files: their sizes, and their bytes (little-endian) as typed arrays.

import { dataView } from '../bytes.ts';
import type { Scratch } from '../scratch.ts';

/** Bytes an element takes, by the names that safetensors uses. */
export const DTYPE_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

export type Dtype = keyof typeof DTYPE_BYTES;

/** Element types by NumPy's codes: the kind and the bytes. */
export const NUMPY_DTYPES: Readonly<Record<string, Dtype>> = {
  f8: 'F64',
  f4: 'F32',
  f2: 'F16',
  i8: 'I64',
  i4: 'I32',
  i2: 'I16',
  i1: 'I8',
  u8: 'U64',
  u4: 'U32',
  u2: 'U16',
  u1: 'U8',
  b1: 'BOOL',
};

export type TensorData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

export function isDtype(name: string): name is Dtype {
  return Object.hasOwn(DTYPE_BYTES, name);
}

export function isFloating(dtype: Dtype): boolean {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16' || dtype === 'F64';
}

/**
 * The bytes of a tensor as numbers; F16 and BF16, which JavaScript lacks, become float32 (exactly), in `scratch` where
 * one is given.
 */
export function decode(dtype: Dtype, bytes: Uint8Array, scratch?: Scratch): TensorData {
  const size = DTYPE_BYTES[dtype];
  // Not slice(): a Buffer's would share the memory.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset } = aligned;
  const length = bytes.byteLength / size;
  switch (dtype) {
    case 'F64':
      return new Float64Array(buffer, byteOffset, length);
    case 'F32':
      return new Float32Array(buffer, byteOffset, length);
    case 'F16':
      return float16ToFloat32(new Uint16Array(buffer, byteOffset, length), scratch);
    case 'BF16':
      return bfloat16ToFloat32(new Uint16Array(buffer, byteOffset, length), scratch);
    case 'I64':
      return new BigInt64Array(buffer, byteOffset, length);
    case 'I32':
      return new Int32Array(buffer, byteOffset, length);
    case 'I16':
      return new Int16Array(buffer, byteOffset, length);
    case 'I8':
      return new Int8Array(buffer, byteOffset, length);
    case 'U64':
      return new BigUint64Array(buffer, byteOffset, length);
    case 'U32':
      return new Uint32Array(buffer, byteOffset, length);
    case 'U16':
      return new Uint16Array(buffer, byteOffset, length);
    case 'U8':
    case 'BOOL':
      return new Uint8Array(buffer, byteOffset, length);
  }
}

/** The element type that keeps an array as it is. */
export function dtypeOf(data: TensorData): Dtype {
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof Float64Array) return 'F64';
  if (data instanceof BigInt64Array) return 'I64';
  if (data instanceof BigUint64Array) return 'U64';
  if (data instanceof Int32Array) return 'I32';
  if (data instanceof Uint32Array) return 'U32';
  if (data instanceof Int16Array) return 'I16';
  if (data instanceof Uint16Array) return 'U16';
  if (data instanceof Int8Array) return 'I8';
  return 'U8';
}

/** Elements of a shape, or null where no array could hold them. */
export function countElements(shape: readonly number[]): number | null {
  if (shape.some((d) => !Number.isSafeInteger(d) || d < 0)) return null;
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const d of shape) {
    count *= d;
    if (count > Number.MAX_SAFE_INTEGER) return null;
  }
  return count;
}

/** IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 mantissa bits. Every value is exact in float32. */
export function float16ToFloat32(half: Uint16Array, scratch?: Scratch): Float32Array {
  const values = floats(half.length, scratch);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < half.length; i++) {
    const h = half[i]!;
    const sign = (h & 0x8000) << 16;
    const exponent = (h >>> 10) & 0x1f;
    const mantissa = h & 0x3ff;
    if (exponent === 0) {
      values[i] = mantissa * 2 ** -24;
      bits[i]! |= sign;
    } else {
      bits[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (mantissa << 13);
    }
  }
  return values;
}

/** The nearest binary16 of each value, ties to even; what is too large becomes infinite. */
export function float32ToFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const sign = (bits[i]! >>> 16) & 0x8000;
    const magnitude = bits[i]! & 0x7fffffff;
    if (magnitude > 0x7f800000)
      halves[i] = sign | 0x7e00; // NaN
    else if (magnitude >= 0x477ff000)
      halves[i] = sign | 0x7c00; // from 65520 up
    else if (magnitude < 0x38800000) {
      // below 2^-14 a half is a multiple of 2^-24; the addition rounds to a whole number
      halves[i] = sign | (Math.abs(values[i]!) * 2 ** 24 + INTEGER_BIAS - INTEGER_BIAS);
    } else {
      halves[i] = sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    }
  }
  return halves;
}

const INTEGER_BIAS = 1.5 * 2 ** 52;

/** bfloat16: the upper half of a float32. */
export function bfloat16ToFloat32(brain: Uint16Array, scratch?: Scratch): Float32Array {
  const values = floats(brain.length, scratch);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < brain.length; i++) bits[i] = brain[i]! << 16;
  return values;
}

function floats(length: number, scratch?: Scratch): Float32Array<ArrayBuffer> {
  return scratch?.floats(length) ?? new Float32Array(length);
}

/** Floating-point numbers as float32 (float64 rounds to nearest even), maybe in `scratch`; null for integers. */
export function toFloat32(dtype: Dtype, bytes: Uint8Array, scratch?: Scratch): Float32Array | null {
  if (!isFloating(dtype)) return null;
  const data = decode(dtype, bytes, scratch);
  if (!(data instanceof Float64Array)) return data instanceof Float32Array ? data : null;
  const values = floats(data.length, scratch);
  values.set(data);
  return values;
}

/** Reverses the bytes of each element: big-endian to little-endian. */
export function swapBytes(dtype: Dtype, bytes: Uint8Array): Uint8Array {
  const size = DTYPE_BYTES[dtype];
  const swapped = new Uint8Array(bytes);
  const view = dataView(swapped);
  for (let at = 0; at < swapped.length; at += size) {
    if (size === 2) view.setUint16(at, view.getUint16(at, false), true);
    else if (size === 4) view.setUint32(at, view.getUint32(at, false), true);
    else if (size === 8) view.setBigUint64(at, view.getBigUint64(at, false), true);
  }
  return swapped;
}
