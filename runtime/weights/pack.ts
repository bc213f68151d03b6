// Packs parameters into an arena as the manifest says. Each kind is one formula from a parameter's index to a place; its
// loops follow the places, so that what is written in a row lies near in memory.

import type { WeightPart } from '../bundle.ts';
import { float16ToFloat32, float32ToFloat16 } from './dtypes.ts';
import { packWinograd } from './winograd.ts';

/**
 * Writes one parameter into the weights of its dispatch. `to` holds a stretch of them that begins `base` floats from
 * their beginning and has room for the whole part.
 */
export function packPart(part: WeightPart, from: Float32Array, to: Float32Array, base = 0): void {
  const offset = part.offset - base;
  if (part.kind === 'product') packProduct(part, from, to, offset);
  else if (part.kind === 'winograd') packWinograd(part, from, to, offset);
  else if (part.kind === 'linear') packLinear(part, from, to, offset);
  else packVector(part, from, to, offset);
}

type Part<K extends WeightPart['kind']> = Extract<WeightPart, { kind: K }>;

/**
 * [O, I, taps] to [O / tile][step][I % chunk][O % tile]; a step is first + (I / chunk) * taps + tap for `rows`, and
 * first + tap * chunks + I / chunk for `quads`.
 */
function packProduct(part: Part<'product'>, from: Float32Array, to: Float32Array, offset: number): void {
  if (!part.half) placeProduct(part, from, to, offset);
  else {
    const halves = new Uint16Array(to.buffer, to.byteOffset, to.length * 2);
    placeProduct(part, float32ToFloat16(from), halves, 2 * offset);
  }
}

function placeProduct<A extends Float32Array | Uint16Array>(
  part: Part<'product'>,
  from: A,
  to: A,
  offset: number,
): void {
  const { layout, outputs, inputs, taps, transposed, tile, chunk, steps, first_output: first } = part;
  const step = chunk * tile;
  const [perChunk, perTap] =
    layout === 'rows' ? [taps * step, step] : [step, Math.ceil(inputs / chunk) * step];
  const [fromOutput, fromInput] = transposed ? [taps, outputs * taps] : [inputs * taps, taps];
  for (let o = 0; o < outputs; ) {
    const column = Math.floor((first + o) / tile);
    const end = Math.min(outputs, (column + 1) * tile - first);
    for (let c = 0; c < inputs; c += chunk) {
      const last = Math.min(c + chunk, inputs);
      const block = offset + (column * steps + part.first_step) * step + (c / chunk) * perChunk;
      for (let row = o; row < end; row++) {
        let at = block + first + row - column * tile;
        let source = row * fromOutput + c * fromInput;
        for (let i = c; i < last; i++) {
          for (let tap = 0; tap < taps; tap++) to[at + tap * perTap] = from[source + tap]!;
          at += tile;
          source += fromInput;
        }
      }
    }
    o = end;
  }
}

/** [N, K] to [N / 64][K / 4][N % 64][K % 4]. */
function packLinear(part: Part<'linear'>, from: Float32Array, to: Float32Array, offset: number): void {
  const { outputs, inputs, first_output: first } = part;
  const quads = Math.ceil(inputs / 4);
  for (let o = 0; o < outputs; ) {
    const n = first + o;
    const end = Math.min(outputs, o + 64 - (n % 64));
    for (let k = 0; k < inputs; k += 4) {
      let at = offset + (Math.floor(n / 64) * quads + k / 4) * 256 + (n % 64) * 4;
      const last = Math.min(k + 4, inputs);
      for (let row = o; row < end; row++) {
        for (let i = k; i < last; i++) to[at + i - k] = from[row * inputs + i]!;
        at += 4;
      }
    }
    o = end;
  }
}

/** Rows one behind the other, each filled up to a multiple of four. */
function packVector(part: Part<'vector'>, values: Float32Array, to: Float32Array, offset: number): void {
  const { length, row, accumulate } = part;
  const from = part.half ? float16ToFloat32(float32ToFloat16(values)) : values;
  const stored = Math.ceil(row / 4) * 4;
  for (let i = 0; i < length; i++) {
    const at = offset + Math.floor(i / row) * stored + (i % row);
    to[at] = accumulate ? to[at]! + from[i]! : from[i]!;
  }
}
