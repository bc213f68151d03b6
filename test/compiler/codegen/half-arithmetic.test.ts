// What sums in float16 cost: the errors that docs/gpu.md names, of sums of a convolution's length whose products are summed
// in float16 a few at a time, as conv_gemm_half does, and then in float32.

import { expect, test } from 'vitest';
import { roundToHalf } from '../../../compiler/ops/cast.ts';
import { noise32 } from '../../fixtures/values.ts';

/** Products of a sum: 3x3 taps of 256 channels. */
const LENGTH = 2304;
const SUMS = 200;

/** Relative L2 error of sums whose products are summed `together` at a time in float16; of products alone it is none. */
function errorOf(together: number): number {
  const values = noise32([2, SUMS, LENGTH], 3).data;
  let [difference, norm] = [0, 0];
  for (let s = 0; s < SUMS; s++) {
    let [exact, rounded] = [0, 0];
    for (let first = 0; first < LENGTH; first += together) {
      let part = 0;
      for (let i = first; i < first + together; i++) {
        const a = roundToHalf(values[s * LENGTH + i]!);
        const b = roundToHalf(values[(SUMS + s) * LENGTH + i]! / 48);
        exact += a * b;
        part = roundToHalf(part + a * b);
      }
      rounded = Math.fround(rounded + part);
    }
    difference += (exact - rounded) ** 2;
    norm += exact ** 2;
  }
  return Math.sqrt(difference / norm);
}

/** Relative L2 error of the same sums where operands are rounded, and nothing else. */
function errorOfOperands(): number {
  const values = noise32([2, SUMS, LENGTH], 3).data;
  let [difference, norm] = [0, 0];
  for (let s = 0; s < SUMS; s++) {
    let [exact, rounded] = [0, 0];
    for (let i = 0; i < LENGTH; i++) {
      const [a, b] = [values[s * LENGTH + i]!, values[(SUMS + s) * LENGTH + i]! / 48];
      exact += a * b;
      rounded += roundToHalf(a) * roundToHalf(b);
    }
    difference += (exact - rounded) ** 2;
    norm += exact ** 2;
  }
  return Math.sqrt(difference / norm);
}

test('eight products in float16 cost about what rounded operands do; all of a sum more than ten times that', () => {
  const digit = (error: number) => Number(error.toPrecision(1));
  expect(digit(errorOfOperands())).toBe(0.0003);
  expect([4, 8, 16, LENGTH].map((together) => digit(errorOf(together)))).toEqual([3e-4, 4e-4, 6e-4, 6e-3]);
});
