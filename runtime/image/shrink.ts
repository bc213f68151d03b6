// Images made smaller by means of areas, as the original makes the small images that it trains upsamplers with
// (PyTorch's `interpolate` with mode "area"): each value is the mean of what it covers, in whole elements, so that
// neighbours share an element where the sizes do not divide.
//
//   output i of n, of m inputs:  the mean of elements  ⌊i m / n⌋ … ⌈(i + 1) m / n⌉ - 1  in every dimension

import { elements, type Tensor } from '../tensor.ts';

/** @param sample [C, ...space], each size of which `factor` divides */
export function shrink(sample: Tensor, factor: number): Tensor {
  const [, ...space] = sample.shape;
  return areaMeans(
    sample,
    space.map((size) => size / factor),
  );
}

/**
 * @param sample [C, ...space]
 * @param size of the result, in as many dimensions; larger ones repeat elements, as there
 */
export function areaMeans({ shape, data }: Tensor, size: readonly number[]): Tensor {
  const [channels = 1, ...space] = shape;
  // one dimension after the other: a mean of means over equal counts; sums stay in float64 until the end
  let values: Float32Array | Float64Array = data;
  for (const [d, to] of size.entries()) {
    const outer = channels * elements(size.slice(0, d));
    values = alongAxis(values, outer, space[d]!, to, elements(space.slice(d + 1)));
  }
  return { shape: [channels, ...size], data: Float32Array.from(values) };
}

/** Means along the middle one of three axes [outer, from, inner]. */
function alongAxis(
  values: ArrayLike<number>,
  outer: number,
  from: number,
  to: number,
  inner: number,
): Float64Array {
  const result = new Float64Array(outer * to * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < to; i++) {
      const begin = Math.floor((i * from) / to);
      const end = Math.ceil(((i + 1) * from) / to);
      const at = (o * to + i) * inner;
      for (let k = begin; k < end; k++) {
        const row = (o * from + k) * inner;
        for (let j = 0; j < inner; j++) result[at + j]! += values[row + j]!;
      }
      for (let j = 0; j < inner; j++) result[at + j]! /= end - begin;
    }
  }
  return result;
}
