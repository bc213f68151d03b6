import { describe, expect, test } from 'vitest';
import { roundToHalf } from '../../../compiler/ops/cast.ts';
import {
  bfloat16ToFloat32,
  countElements,
  type Dtype,
  decode,
  float16ToFloat32,
  float32ToFloat16,
  swapBytes,
  toFloat32,
} from '../../../runtime/weights/dtypes.ts';

const EVERY_16_BITS = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** A binary floating-point number from its definition, by powers of two. */
function fromDefinition(bits: number, exponentBits: number, mantissaBits: number): number {
  const sign = bits >>> 15 ? -1 : 1;
  const exponent = (bits >>> mantissaBits) & (2 ** exponentBits - 1);
  const fraction = (bits & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === 2 ** exponentBits - 1)
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}

describe('16-bit floats', () => {
  test.each([
    ['F16', float16ToFloat32, 5, 10],
    ['BF16', bfloat16ToFloat32, 8, 7],
  ] as const)('all 65,536 values of %s are exact', (_, convert, exponentBits, mantissaBits) => {
    const values = convert(EVERY_16_BITS);
    const wrong = [...values].findIndex(
      (value, bits) => !Object.is(value, fromDefinition(bits, exponentBits, mantissaBits)),
    );
    expect(wrong).toBe(-1);
  });

  test('every float16 stays what it is, and every value between two goes to the nearer one', () => {
    const exact = float16ToFloat32(EVERY_16_BITS);
    const same = float16ToFloat32(float32ToFloat16(exact));
    expect([...same].findIndex((value, i) => !Object.is(value, exact[i]))).toBe(-1);
    const step = 1 + 2 ** -12;
    const values = Float32Array.from({ length: 200_000 }, (_, i) => (i % 2 ? -1 : 1) * 1e-9 * step ** i);
    const rounded = float16ToFloat32(float32ToFloat16(values));
    expect([...values].findIndex((value, i) => !Object.is(rounded[i], roundToHalf(value)))).toBe(-1);
  });

  test.each([
    [1 + 2 ** -11, 1],
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2 ** -23],
    [65519, 65504],
    [65520, Number.POSITIVE_INFINITY],
    [-Number.MAX_VALUE, Number.NEGATIVE_INFINITY],
    [Number.NaN, Number.NaN],
  ])('%d becomes %d', (value, half) => {
    expect([...float16ToFloat32(float32ToFloat16(Float32Array.of(value)))]).toEqual([half]);
  });
});

describe('decode', () => {
  test('reads little-endian bytes at any alignment', () => {
    const bytes = Uint8Array.of(9, 1, 2, 3, 4, 5, 6, 7, 8).subarray(1);
    expect([...decode('U16', bytes)]).toEqual([0x0201, 0x0403, 0x0605, 0x0807]);
    expect([...decode('I64', bytes)]).toEqual([0x0807060504030201n]);
  });

  test('gives each type its own array', () => {
    const types: Dtype[] = [
      'F64',
      'F32',
      'F16',
      'BF16',
      'I64',
      'I32',
      'I16',
      'I8',
      'U64',
      'U32',
      'U16',
      'U8',
      'BOOL',
    ];
    const ones = new Uint8Array(8).fill(255);
    const names = types
      .map((type) => decode(type, ones))
      .map((data) => `${data.constructor.name} ${data.length}`);
    expect(names).toEqual([
      'Float64Array 1',
      'Float32Array 2',
      'Float32Array 4',
      'Float32Array 4',
      'BigInt64Array 1',
      'Int32Array 2',
      'Int16Array 4',
      'Int8Array 8',
      'BigUint64Array 1',
      'Uint32Array 2',
      'Uint16Array 4',
      'Uint8Array 8',
      'Uint8Array 8',
    ]);
  });

  test('float64 rounds to float32, integers are no weights', () => {
    expect(toFloat32('F64', new Uint8Array(Float64Array.of(0.1, -2).buffer))).toEqual(
      Float32Array.of(0.1, -2),
    );
    expect(toFloat32('I32', new Uint8Array(4))).toBeNull();
  });

  test('big-endian bytes are swapped element by element', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    expect([...swapBytes('F16', bytes)]).toEqual([2, 1, 4, 3, 6, 5, 8, 7]);
    expect([...swapBytes('F32', bytes)]).toEqual([4, 3, 2, 1, 8, 7, 6, 5]);
    expect([...swapBytes('F64', bytes)]).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    expect([...swapBytes('U8', bytes)]).toEqual([...bytes]);
  });
});

test('countElements knows what no array could hold', () => {
  expect(countElements([])).toBe(1);
  expect(countElements([2, 3, 4])).toBe(24);
  expect(countElements([0, 2 ** 40, 2 ** 40])).toBe(0);
  expect(countElements([2 ** 27, 2 ** 27])).toBeNull();
  expect(countElements([1.5])).toBeNull();
  expect(countElements([-1])).toBeNull();
});
