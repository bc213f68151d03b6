// Pillow's resize in 8 bits, equal to the last bit: a convolution along rows, rounded to bytes, then one along columns.
// Filters are as wide as what they shrink by, so that shrinking does not alias; weights are whole multiples of 2^-22.
//
//   weight of input i for output o:  filter((i + 1/2 - centre) / s) / sum,  centre = (o + 1/2) · in / out,  s = max(1, in / out)
//
// Source: Pillow 9.4, libImaging/Resample.c (precompute_coeffs, normalize_coeffs_8bpc, ImagingResampleHorizontal_8bpc).

import { BANDS, hasAlpha, premultiplied, type Raster, unpremultiplied } from './raster.ts';

export type Filter = 'box' | 'bicubic';

const FILTERS = {
  box: { support: 0.5, weight: (x: number) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bicubic: { support: 2, weight: cubic },
} as const satisfies Record<Filter, unknown>;

/** Keys' cubic, a = -1/2. */
function cubic(signed: number): number {
  const a = -0.5;
  const x = Math.abs(signed);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

const PRECISION = 22;
const ONE = 2 ** PRECISION;
const HALF = 2 ** (PRECISION - 1);

/** For each output of a window: where its inputs begin, how many they are, and their weights in 2^-22. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
  /** Weights of an output, the unused among them. */
  readonly stride: number;
}

function tapsOf(filter: Filter, from: number, to: number, begin: number, length: number): Taps {
  const { support, weight } = FILTERS[filter];
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const reach = support * stretch;
  const stride = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Int32Array(length * stride);
  const exact = new Float64Array(stride);
  const inverse = 1 / stretch;
  for (let i = 0; i < length; i++) {
    const centre = (begin + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - reach + 0.5));
    const taps = Math.min(from, Math.trunc(centre + reach + 0.5)) - low;
    let sum = 0;
    for (let k = 0; k < taps; k++) {
      exact[k] = weight((k + low - centre + 0.5) * inverse);
      sum += exact[k]!;
    }
    for (let k = 0; k < taps; k++) {
      const part = (sum === 0 ? exact[k]! : exact[k]! / sum) * ONE;
      weights[i * stride + k] = Math.trunc(part < 0 ? part - 0.5 : part + 0.5);
    }
    first[i] = low;
    count[i] = taps;
  }
  return { first, count, weights, stride };
}

/** A part of a resized picture. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A picture resized to `width` x `height`, or the `window` of it, which is all that is computed. Colours with alpha are
 * filtered premultiplied, as Pillow does.
 */
export function resize(
  raster: Raster,
  width: number,
  height: number,
  filter: Filter,
  window: Window = { left: 0, top: 0, width, height },
): Raster {
  if (raster.width === width && raster.height === height) return cut(raster, window);
  if (!hasAlpha(raster.colours)) return convolve(raster, width, height, filter, window);
  return unpremultiplied(convolve(premultiplied(raster), width, height, filter, window));
}

function convolve(raster: Raster, width: number, height: number, filter: Filter, window: Window): Raster {
  const bands = BANDS[raster.colours];
  const whole = window.width === width && window.height === height;
  if (filter === 'box' && raster.width === 2 * width && raster.height === 2 * height && whole)
    return halve(raster);
  let { data } = raster;
  let rows = raster.height;
  // the rows that the window's own are made of
  let top = height === rows ? window.top : 0;
  const columns = height === rows ? null : tapsOf(filter, raster.height, height, window.top, window.height);
  if (columns !== null) {
    const last = window.height - 1;
    top = columns.first[0]!;
    rows = columns.first[last]! + columns.count[last]! - top;
  } else rows = window.height;
  const span = { top, rows, stride: raster.width * bands };
  data =
    raster.width === width
      ? cutColumns(data, span, window.left * bands, window.width * bands)
      : alongRows(data, span, bands, tapsOf(filter, raster.width, width, window.left, window.width));
  if (columns !== null) data = alongColumns(data, window.width * bands, columns, top);
  return { width: window.width, height: window.height, colours: raster.colours, data };
}

/** The box filter of two equal weights, most of the work on large pictures: both passes in one, each rounded as there. */
function halve({ width, height, colours, data }: Raster): Raster {
  const bands = BANDS[colours];
  const result = new Uint8Array((width / 2) * (height / 2) * bands);
  const stride = width * bands;
  let to = 0;
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      for (let band = 0, at = y * stride + x * bands; band < bands; band++, at++) {
        const above = (data[at]! + data[at + bands]! + 1) >> 1;
        const below = (data[at + stride]! + data[at + stride + bands]! + 1) >> 1;
        result[to++] = (above + below + 1) >> 1;
      }
    }
  }
  return { width: width / 2, height: height / 2, colours, data: result };
}

/** Rows of the input that are read. */
interface Span {
  readonly top: number;
  readonly rows: number;
  readonly stride: number;
}

function cut(raster: Raster, { left, top, width, height }: Window): Raster {
  const bands = BANDS[raster.colours];
  const span = { top, rows: height, stride: raster.width * bands };
  const data = cutColumns(raster.data, span, left * bands, width * bands);
  return { width, height, colours: raster.colours, data };
}

function cutColumns(data: Uint8Array, { top, rows, stride }: Span, left: number, length: number): Uint8Array {
  const result = new Uint8Array(rows * length);
  for (let row = 0; row < rows; row++) {
    const from = (top + row) * stride + left;
    result.set(data.subarray(from, from + length), row * length);
  }
  return result;
}

function alongRows(data: Uint8Array, span: Span, bands: number, taps: Taps): Uint8Array {
  const { first, count, weights, stride } = taps;
  const length = first.length * bands;
  const result = new Uint8ClampedArray(span.rows * length);
  for (let row = 0; row < span.rows; row++) {
    const from = (span.top + row) * span.stride;
    for (let x = 0; x < first.length; x++) {
      const start = from + first[x]! * bands;
      const [begin, end] = [x * stride, x * stride + count[x]!];
      for (let band = 0; band < bands; band++) {
        let sum = HALF;
        for (let k = begin, at = start + band; k < end; k++, at += bands) sum += data[at]! * weights[k]!;
        result[row * length + x * bands + band] = sum >> PRECISION;
      }
    }
  }
  return new Uint8Array(result.buffer);
}

/** @param top the row of the picture that `data` begins with */
function alongColumns(data: Uint8Array, length: number, taps: Taps, top: number): Uint8Array {
  const { first, count, weights, stride } = taps;
  const result = new Uint8ClampedArray(first.length * length);
  for (let y = 0; y < first.length; y++) {
    const start = (first[y]! - top) * length;
    const [begin, end] = [y * stride, y * stride + count[y]!];
    for (let x = 0; x < length; x++) {
      let sum = HALF;
      for (let k = begin, at = start + x; k < end; k++, at += length) sum += data[at]! * weights[k]!;
      result[y * length + x] = sum >> PRECISION;
    }
  }
  return new Uint8Array(result.buffer);
}
