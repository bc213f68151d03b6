// Packs parameters into an arena as the manifest says. Each kind is one formula from a parameter's index to a place; its
// loops follow the places, so that what is written in a row lies in a row in memory.

import { STORED_BYTES, type WeightPart } from '../bundle.ts';
import { STORED } from './stored.ts';
import { packWinograd } from './winograd.ts';

/**
 * Writes a parameter into a stretch of the weights of its dispatch, which begins `base` floats from their beginning: of
 * the units that `extentOf` tells, all that lie in the stretch. Places that no parameter has stay as they are, or get
 * zeros.
 */
export type Pack = (to: Float32Array, base: number) => void;

/** How the parameter with the values `from` is packed. They are read at every call. */
export function packer(part: WeightPart, from: Float32Array): Pack {
  switch (part.kind) {
    case 'product': {
      const { encode, places } = STORED[part.stored];
      const elements = encode(valuesOf(part, from));
      const perWord = 4 / STORED_BYTES[part.stored];
      return (to, base) => packProduct(part, elements, places(to), perWord * (part.offset - base));
    }
    case 'winograd': {
      const values = valuesOf(part, from);
      return (to, base) => packWinograd(part, values, to, part.offset - base);
    }
    case 'linear':
      return (to, base) => packLinear(part, from, to, part.offset - base);
    case 'vector': {
      const values = STORED[part.stored].round(from);
      return (to, base) => packVector(part, values, to, part.offset - base);
    }
  }
}

/** The values of a part whose words are float32, as they are rounded. */
function valuesOf({ rounded = false }: { readonly rounded?: boolean }, from: Float32Array): Float32Array {
  return rounded ? STORED.f16.round(from) : from;
}

type Part<K extends WeightPart['kind']> = Extract<WeightPart, { kind: K }>;

/**
 * [O, I, taps] to [O / tile][step][I % chunk][O % tile]; a step is first + (I / chunk) * taps + tap for `rows`, and
 * first + tap * chunks + I / chunk for `quads`.
 */
function packProduct<A extends Float32Array | Uint16Array>(
  part: Part<'product'>,
  from: A,
  to: A,
  offset: number,
): void {
  const { layout, outputs, inputs, taps, transposed, tile, chunk, steps, first_output: first } = part;
  const step = chunk * tile;
  const [perChunk, perTap] =
    layout === 'rows' ? [taps * step, step] : [step, Math.ceil(inputs / chunk) * step];
  const [perOutput, perInput] = transposed ? [taps, outputs * taps] : [inputs * taps, taps];
  for (let o = 0; o < outputs; ) {
    const column = Math.floor((first + o) / tile);
    const count = Math.min(outputs, (column + 1) * tile - first) - o;
    const begin = offset + column * steps * step;
    if (begin >= 0 && begin + steps * step <= to.length) {
      const place = begin + part.first_step * step + first + o - column * tile;
      for (let i = 0; i < inputs; ) {
        const rows = Math.min(ROWS, chunk - (i % chunk), inputs - i);
        const at = place + Math.floor(i / chunk) * perChunk + (i % chunk) * tile;
        const source = o * perOutput + i * perInput;
        for (let tap = 0; tap < taps; tap++) {
          copyRows(from, source + tap, perOutput, perInput, rows, to, at + tap * perTap, tile, count);
        }
        i += rows;
      }
    }
    o += count;
  }
}

/** Inputs of an output lie near each other: where a chunk has so many, they are read at once. */
const ROWS = 4;

/** Copies the values of `rows` inputs for `count` outputs: each input's to places in a row, `tile` behind the one before. */
function copyRows<A extends Float32Array | Uint16Array>(
  from: A,
  source: number,
  perOutput: number,
  perInput: number,
  rows: number,
  to: A,
  at: number,
  tile: number,
  count: number,
): void {
  if (rows < ROWS) {
    for (let k = 0; k < rows; k++) {
      for (let n = 0; n < count; n++) to[at + k * tile + n] = from[source + k * perInput + n * perOutput]!;
    }
    return;
  }
  for (let n = 0; n < count; n++) {
    to[at] = from[source]!;
    to[at + tile] = from[source + perInput]!;
    to[at + 2 * tile] = from[source + 2 * perInput]!;
    to[at + 3 * tile] = from[source + 3 * perInput]!;
    at++;
    source += perOutput;
  }
}

/** [N, K] to [N / 64][K / 4][N % 64][K % 4]. */
function packLinear(part: Part<'linear'>, from: Float32Array, to: Float32Array, offset: number): void {
  const { outputs, inputs, first_output: first } = part;
  const quads = Math.ceil(inputs / 4);
  for (let o = 0; o < outputs; ) {
    const n = first + o;
    const end = Math.min(outputs, o + 64 - (n % 64));
    const column = offset + Math.floor(n / 64) * quads * 256;
    if (column >= 0 && column + quads * 256 <= to.length) {
      for (let k = 0; k < inputs; k += 4) {
        let at = column + k * 64 + (n % 64) * 4;
        const last = Math.min(k + 4, inputs);
        for (let row = o; row < end; row++) {
          for (let i = k; i < last; i++) to[at + i - k] = from[row * inputs + i]!;
          at += 4;
        }
      }
    }
    o = end;
  }
}

/** Rows one behind the other, each filled up to a multiple of four. */
function packVector(part: Part<'vector'>, from: Float32Array, to: Float32Array, offset: number): void {
  const { length, row, accumulate } = part;
  let at = offset;
  for (let first = 0; first < length; first += row) {
    const end = Math.min(row, length - first, to.length - at);
    for (let i = Math.max(0, -at); i < end; i++) {
      to[at + i] = accumulate ? to[at + i]! + from[first + i]! : from[first + i]!;
    }
    at += Math.ceil(row / 4) * 4;
  }
}
