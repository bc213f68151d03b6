// A sample made smaller by a whole factor in every dimension: each value is the mean of a square, as the original
// makes the low-resolution images that it trains with (`interpolate` with mode "area").

import { elements, type Tensor } from '../tensor.ts';

/** @param sample [C, ...space], each size of which `factor` divides */
export function shrink({ shape, data }: Tensor, factor: number): Tensor {
  const [channels = 1, ...space] = shape;
  const small = [channels, ...space.map((size) => size / factor)];
  const values = new Float64Array(elements(small));
  for (const [i, value] of data.entries()) {
    let [rest, stride, to] = [i, 1, 0];
    for (let d = space.length - 1; d >= 0; d--) {
      const size = space[d]!;
      to += Math.floor((rest % size) / factor) * stride;
      rest = Math.floor(rest / size);
      stride *= size / factor;
    }
    values[rest * stride + to]! += value;
  }
  const count = factor ** space.length;
  return { shape: small, data: Float32Array.from(values, (sum) => sum / count) };
}
