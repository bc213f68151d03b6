// The loops of `conv`'s reference, in three dimensions and float64.
//
// The padded input of a sample is split into one plane for each channel and each phase (position modulo stride), so
// that a tap of the kernel reads a plane from a fixed offset on with step 1, whatever the stride. An output channel is
// then a sum of channels · taps shifted planes, each a contiguous run. Rows of the sum are as wide as a plane; what lies
// beyond the output's width is dropped at the end.

import { map3, type Space3 } from './space.ts';

export interface Convolution {
  readonly batch: number;
  readonly channels: number;
  /** Output channels. */
  readonly to: number;
  readonly size: Space3;
  readonly kernel: Space3;
  readonly stride: Space3;
  /** Zeros in front of every dimension, and behind it. */
  readonly padding: Space3;
  readonly end: Space3;
}

export interface Convolved {
  readonly size: Space3;
  readonly data: Float64Array;
}

/** Output channels, and terms of the sum, that the inner loop handles at once. */
const BLOCK = 4;

/** x [batch, channels, ...size], weight [to, channels, ...kernel], bias [to] → [batch, to, ...]. */
export function convolve(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array,
  c: Convolution,
): Convolved {
  const padded = map3((d) => c.padding[d] + c.size[d] + c.end[d]);
  const size = map3((d) => Math.floor((padded[d] - c.kernel[d]) / c.stride[d]) + 1);
  const plane = map3((d) => Math.ceil(padded[d] / c.stride[d]));
  const run = ((size[0] - 1) * plane[1] + (size[1] - 1)) * plane[2] + size[2];
  const offsets = tapOffsets(c, plane);
  const sums = Array.from({ length: BLOCK }, () => new Float64Array(run));
  const positions = size[0] * size[1] * size[2];
  const y = new Float64Array(c.batch * c.to * positions);
  for (let b = 0; b < c.batch; b++) {
    const planes = splitPhases(x, b, c, plane, run);
    for (let first = 0; first < c.to; first += BLOCK) {
      const channels = Math.min(BLOCK, c.to - first);
      for (let r = 0; r < channels; r++) sums[r]!.fill(bias[first + r]!);
      accumulate(sums, planes, offsets, packWeights(weight, first, channels, c, offsets.length));
      for (let r = 0; r < channels; r++) {
        cropRows(sums[r]!, plane, y, (b * c.to + first + r) * positions, size);
      }
    }
  }
  return { size, data: y };
}

/** Place of phase `r` of channel `i` among the planes. */
function planeIndex(i: number, r: Space3, stride: Space3): number {
  return ((i * stride[0] + r[0]) * stride[1] + r[1]) * stride[2] + r[2];
}

/**
 * Where the run of each term (channel, kd, kh, kw) starts, in the weight's order. Filled up to a multiple of BLOCK with
 * terms that read the zeros behind the last plane.
 */
function tapOffsets({ channels, kernel, stride }: Convolution, plane: Space3): Int32Array {
  const planeSize = plane[0] * plane[1] * plane[2];
  const terms = channels * kernel[0] * kernel[1] * kernel[2];
  const zeros = planeIndex(channels, [0, 0, 0], stride) * planeSize;
  const offsets = new Int32Array(Math.ceil(terms / BLOCK) * BLOCK).fill(zeros);
  let term = 0;
  for (let i = 0; i < channels; i++) {
    for (let kd = 0; kd < kernel[0]; kd++) {
      for (let kh = 0; kh < kernel[1]; kh++) {
        for (let kw = 0; kw < kernel[2]; kw++) {
          const k: Space3 = [kd, kh, kw];
          const index = planeIndex(
            i,
            map3((d) => k[d] % stride[d]),
            stride,
          );
          const [d, h, w] = map3((d) => Math.floor(k[d] / stride[d]));
          offsets[term++] = index * planeSize + (d * plane[1] + h) * plane[2] + w;
        }
      }
    }
  }
  return offsets;
}

/** Sample `b`, zero-padded, as [channel][phase d][phase h][phase w][d][h][w]; then `run` zeros. */
function splitPhases(x: Float64Array, b: number, c: Convolution, plane: Space3, run: number): Float64Array {
  const { channels, size, stride, padding } = c;
  const planeSize = plane[0] * plane[1] * plane[2];
  const planes = new Float64Array(planeIndex(channels, [0, 0, 0], stride) * planeSize + run);
  let at = b * channels * size[0] * size[1] * size[2];
  for (let i = 0; i < channels; i++) {
    for (let d = padding[0]; d < padding[0] + size[0]; d++) {
      for (let h = padding[1]; h < padding[1] + size[1]; h++) {
        const row = (Math.floor(d / stride[0]) * plane[1] + Math.floor(h / stride[1])) * plane[2];
        for (let w = padding[2]; w < padding[2] + size[2]; w++) {
          const index = planeIndex(i, [d % stride[0], h % stride[1], w % stride[2]], stride);
          planes[index * planeSize + row + Math.floor(w / stride[2])] = x[at++]!;
        }
      }
    }
  }
  return planes;
}

/** Weights of `channels` output channels from `first` on, [BLOCK][terms], zero where there is no channel or term. */
function packWeights(
  weight: Float64Array,
  first: number,
  channels: number,
  { channels: from, kernel }: Convolution,
  terms: number,
): Float64Array {
  const row = from * kernel[0] * kernel[1] * kernel[2];
  const packed = new Float64Array(BLOCK * terms);
  for (let r = 0; r < channels; r++) {
    packed.set(weight.subarray((first + r) * row, (first + r + 1) * row), r * terms);
  }
  return packed;
}

/** sums[r][j] += Σ_k weights[r][k] · planes[offsets[k] + j]: BLOCK rows and BLOCK terms at a time, all in registers. */
function accumulate(
  sums: readonly Float64Array[],
  planes: Float64Array,
  offsets: Int32Array,
  weights: Float64Array,
): void {
  const [s0, s1, s2, s3] = [sums[0]!, sums[1]!, sums[2]!, sums[3]!];
  const terms = offsets.length;
  const w = (r: number, k: number) => weights[r * terms + k]!;
  for (let k = 0; k < terms; k += BLOCK) {
    const [o0, o1, o2, o3] = [offsets[k]!, offsets[k + 1]!, offsets[k + 2]!, offsets[k + 3]!];
    const [a0, a1, a2, a3] = [w(0, k), w(0, k + 1), w(0, k + 2), w(0, k + 3)];
    const [b0, b1, b2, b3] = [w(1, k), w(1, k + 1), w(1, k + 2), w(1, k + 3)];
    const [c0, c1, c2, c3] = [w(2, k), w(2, k + 1), w(2, k + 2), w(2, k + 3)];
    const [d0, d1, d2, d3] = [w(3, k), w(3, k + 1), w(3, k + 2), w(3, k + 3)];
    for (let j = 0; j < s0.length; j++) {
      const x0 = planes[o0 + j]!;
      const x1 = planes[o1 + j]!;
      const x2 = planes[o2 + j]!;
      const x3 = planes[o3 + j]!;
      s0[j] = s0[j]! + a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3;
      s1[j] = s1[j]! + b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3;
      s2[j] = s2[j]! + c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3;
      s3[j] = s3[j]! + d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3;
    }
  }
}

/** Copies an output channel out of rows as wide as a plane. */
function cropRows(sum: Float64Array, plane: Space3, y: Float64Array, at: number, size: Space3): void {
  for (let d = 0; d < size[0]; d++) {
    for (let h = 0; h < size[1]; h++) {
      const from = (d * plane[1] + h) * plane[2];
      y.set(sum.subarray(from, from + size[2]), at + (d * size[1] + h) * size[2]);
    }
  }
}
