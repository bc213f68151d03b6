// Packs parameters into an arena as the manifest says. Each kind is one formula from a parameter's index to a place.

import type { WeightPart } from '../bundle.ts';

/** Writes one parameter into the weights of its dispatch: `to` begins where the dispatch's weights begin. */
export function packPart(part: WeightPart, from: Float32Array, to: Float32Array): void {
  if (part.kind === 'product') packProduct(part, from, to);
  else if (part.kind === 'winograd') packWinograd(part, from, to);
  else if (part.kind === 'linear') packLinear(part, from, to);
  else packVector(part, from, to);
}

type Part<K extends WeightPart['kind']> = Extract<WeightPart, { kind: K }>;

/**
 * [O, I, taps] to [O / tile][step], a step being, for `rows`, [I % chunk][O % tile] at first + (I / chunk) * taps + tap,
 * and for `lanes` [O % tile][I % chunk] at first + tap * chunks + I / chunk.
 */
function packProduct(part: Part<'product'>, from: Float32Array, to: Float32Array): void {
  const { layout, outputs, inputs, taps, transposed, tile, chunk, steps, first_step: first, offset } = part;
  const rows = layout === 'rows';
  const step = chunk * tile;
  const [perChunk, perTap] = rows ? [taps * step, step] : [step, Math.ceil(inputs / chunk) * step];
  const [perInput, perOutput] = rows ? [tile, 1] : [1, chunk];
  for (let o = 0; o < outputs; o++) {
    const column = offset + (Math.floor(o / tile) * steps + first) * step + (o % tile) * perOutput;
    for (let i = 0; i < inputs; i++) {
      const source = (transposed ? i * outputs + o : o * inputs + i) * taps;
      const at = column + Math.floor(i / chunk) * perChunk + (i % chunk) * perInput;
      for (let tap = 0; tap < taps; tap++) to[at + tap * perTap] = from[source + tap]!;
    }
  }
}

/**
 * [O, I, 3, 3] to 16 planes of [O / tile][I / chunk][O % tile][I % chunk]: the kernel g of a pair of channels becomes
 * G g GT, computed in float64. Source: Lavin and Gray 2016, arXiv:1509.09308, F(2x2, 3x3).
 */
function packWinograd(part: Part<'winograd'>, from: Float32Array, to: Float32Array): void {
  const { outputs, inputs, tile, chunk, plane, offset } = part;
  const chunks = Math.ceil(inputs / chunk);
  const rows = new Float64Array(12);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      const g = (o * inputs + i) * 9;
      for (let x = 0; x < 3; x++)
        transformKernel(rows, x, 3, from[g + x]!, from[g + 3 + x]!, from[g + 6 + x]!);
      const step = Math.floor(o / tile) * chunks + Math.floor(i / chunk);
      const at = offset + (step * tile + (o % tile)) * chunk + (i % chunk);
      for (let y = 0; y < 4; y++) {
        transformKernel(to, at + y * 4 * plane, plane, rows[y * 3]!, rows[y * 3 + 1]!, rows[y * 3 + 2]!);
      }
    }
  }
}

/** Writes G (a, b, c) to four places `stride` apart. */
function transformKernel(
  to: Float64Array | Float32Array,
  at: number,
  stride: number,
  a: number,
  b: number,
  c: number,
): void {
  to[at] = a;
  to[at + stride] = (a + b + c) / 2;
  to[at + 2 * stride] = (a - b + c) / 2;
  to[at + 3 * stride] = c;
}

/** [N, K] to [N / 64][K / 4][N % 64][K % 4]. */
function packLinear(part: Part<'linear'>, from: Float32Array, to: Float32Array): void {
  const { outputs, inputs, first_output: first, offset } = part;
  const quads = Math.ceil(inputs / 4);
  for (let o = 0; o < outputs; o++) {
    const n = first + o;
    const row = offset + Math.floor(n / 64) * quads * 256 + (n % 64) * 4;
    for (let k = 0; k < inputs; k++) to[row + (k >> 2) * 256 + (k & 3)] = from[o * inputs + k]!;
  }
}

/** Rows one behind the other, each filled up to a multiple of four. */
function packVector(part: Part<'vector'>, from: Float32Array, to: Float32Array): void {
  const { length, row, accumulate, offset } = part;
  const stored = Math.ceil(row / 4) * 4;
  for (let i = 0; i < length; i++) {
    const at = offset + Math.floor(i / row) * stored + (i % row);
    to[at] = accumulate ? to[at]! + from[i]! : from[i]!;
  }
}
