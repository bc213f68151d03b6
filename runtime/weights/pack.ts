// Packs parameters into an arena as the manifest says. Each kind is one formula from a parameter's index to a place.

import type { WeightPart } from '../bundle.ts';
import { float16ToFloat32, float32ToFloat16 } from './dtypes.ts';
import { packWinograd } from './winograd.ts';

/** Writes one parameter into the weights of its dispatch: `to` begins where the dispatch's weights begin. */
export function packPart(part: WeightPart, from: Float32Array, to: Float32Array): void {
  if (part.kind === 'product') packProduct(part, from, to);
  else if (part.kind === 'winograd') packWinograd(part, from, to);
  else if (part.kind === 'linear') packLinear(part, from, to);
  else packVector(part, from, to);
}

type Part<K extends WeightPart['kind']> = Extract<WeightPart, { kind: K }>;

/**
 * [O, I, taps] to [O / tile][step][I % chunk][O % tile]; a step is first + (I / chunk) * taps + tap for `rows`, and
 * first + tap * chunks + I / chunk for `quads`.
 */
function packProduct(part: Part<'product'>, from: Float32Array, to: Float32Array): void {
  if (!part.half) placeProduct(part, from, to, part.offset);
  else {
    const halves = new Uint16Array(to.buffer, to.byteOffset, to.length * 2);
    placeProduct(part, float32ToFloat16(from), halves, 2 * part.offset);
  }
}

function placeProduct<A extends Float32Array | Uint16Array>(
  part: Part<'product'>,
  from: A,
  to: A,
  offset: number,
): void {
  const { layout, outputs, inputs, taps, transposed, tile, chunk, steps } = part;
  const step = chunk * tile;
  const [perChunk, perTap] =
    layout === 'rows' ? [taps * step, step] : [step, Math.ceil(inputs / chunk) * step];
  for (let o = 0; o < outputs; o++) {
    const n = part.first_output + o;
    const column = offset + (Math.floor(n / tile) * steps + part.first_step) * step + (n % tile);
    for (let i = 0; i < inputs; i++) {
      const source = (transposed ? i * outputs + o : o * inputs + i) * taps;
      const at = column + Math.floor(i / chunk) * perChunk + (i % chunk) * tile;
      for (let tap = 0; tap < taps; tap++) to[at + tap * perTap] = from[source + tap]!;
    }
  }
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
function packVector(part: Part<'vector'>, values: Float32Array, to: Float32Array): void {
  const { length, row, accumulate, offset } = part;
  const from = part.half ? float16ToFloat32(float32ToFloat16(values)) : values;
  const stored = Math.ceil(row / 4) * 4;
  for (let i = 0; i < length; i++) {
    const at = offset + Math.floor(i / row) * stored + (i % row);
    to[at] = accumulate ? to[at]! + from[i]! : from[i]!;
  }
}
