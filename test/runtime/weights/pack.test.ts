// Packing, against the formulas written out: every float of every kind in its place, also in a stretch of an arena.

import { describe, expect, it } from 'vitest';
import type { WeightPart } from '../../../runtime/bundle.ts';
import { float16ToFloat32, float32ToFloat16 } from '../../../runtime/weights/dtypes.ts';
import { extentOf } from '../../../runtime/weights/extent.ts';
import { packer } from '../../../runtime/weights/pack.ts';

const values = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i + 1));

/** Packs into the part's extent alone, whole and unit by unit, and says what lies where. */
function packed(part: WeightPart, from: Float32Array): (at: number) => number {
  const { first, end, unit } = extentOf(part);
  const pack = packer(part, from);
  const to = new Float32Array(end - first);
  pack(to, first);
  const whole = new Float32Array(end);
  pack(whole, 0);
  expect([...whole.subarray(first)]).toEqual([...to]);
  for (let at = first; at < end; at += unit) {
    const piece = new Float32Array(Math.min(unit, end - at));
    pack(piece, at);
    expect(piece).toEqual(to.subarray(at - first, at - first + piece.length));
  }
  return (at) => to[at - first]!;
}

describe.each(['rows', 'quads'] as const)('a product in %s', (layout) => {
  it.each([false, true])('transposed: %s', (transposed) => {
    const [outputs, inputs, taps, tile, chunk] = [13, 10, 3, 8, 4];
    const [first_output, first_step, offset] = [5, 2, 32];
    const chunks = Math.ceil(inputs / chunk);
    const steps = first_step + chunks * taps;
    const from = values(outputs * inputs * taps);
    const at = packed(
      {
        ...{ kind: 'product', stored: 'f32', param: 'p', layout, outputs, inputs, taps, transposed },
        ...{ tile, chunk, steps, first_step, first_output, offset },
      },
      from,
    );
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) {
        for (let tap = 0; tap < taps; tap++) {
          const n = first_output + o;
          const c = Math.floor(i / chunk);
          const step = first_step + (layout === 'rows' ? c * taps + tap : tap * chunks + c);
          const place = ((Math.floor(n / tile) * steps + step) * chunk + (i % chunk)) * tile + (n % tile);
          const source = (transposed ? i * outputs + o : o * inputs + i) * taps + tap;
          expect(at(offset + place)).toBe(from[source]);
        }
      }
    }
  });
});

const PLACED = {
  param: 'p',
  outputs: 8,
  inputs: 4,
  transposed: false,
  tile: 8,
  chunk: 4,
  offset: 0,
} as const;
const PRODUCT = {
  ...({ kind: 'product', stored: 'f32', layout: 'quads' } as const),
  ...{ ...PLACED, taps: 9, steps: 9, first_step: 0, first_output: 0 },
};
const PLANES = { ...({ kind: 'winograd', m: 4, plane: 32 } as const), ...PLACED };

it.each([PRODUCT, PLANES])(
  'what is rounded is packed in float32 as its values in float16 are: $kind',
  (part) => {
    const from = values(8 * 4 * 9);
    const halves = float16ToFloat32(float32ToFloat16(from));
    const rounded = packed({ ...part, rounded: true }, from);
    const expected = packed(part, halves);
    for (let at = 0; at < extentOf(part).end; at++) expect(rounded(at)).toBe(expected(at));
    expect(rounded(0)).not.toBe(packed(part, from)(0));
  },
);

it('a product in float16 stands at half the places', () => {
  const part = {
    ...({ kind: 'product', param: 'p', layout: 'rows', transposed: false } as const),
    ...{ outputs: 12, inputs: 4, taps: 1, tile: 8, chunk: 4, steps: 1 },
    ...{ first_step: 0, first_output: 0, offset: 4 },
  };
  const from = Float32Array.from({ length: 48 }, (_, i) => i / 8);
  const float = packed({ ...part, stored: 'f32' }, from);
  const half = packed({ ...part, stored: 'f16' }, from);
  for (let i = 0; i < 32; i++) {
    const [low, high] = new Uint16Array(Float32Array.of(half(4 + i)).buffer);
    expect([...float16ToFloat32(Uint16Array.of(low!, high!))]).toEqual([float(4 + 2 * i), float(5 + 2 * i)]);
  }
});

it('a linear layer behind another one', () => {
  const [outputs, inputs, first_output, offset] = [100, 7, 30, 16];
  const from = values(outputs * inputs);
  const at = packed({ kind: 'linear', param: 'p', outputs, inputs, first_output, offset }, from);
  for (let o = 0; o < outputs; o++) {
    for (let k = 0; k < inputs; k++) {
      const n = first_output + o;
      const place = ((Math.floor(n / 64) * 2 + (k >> 2)) * 64 + (n % 64)) * 4 + (k & 3);
      expect(at(offset + place)).toBe(from[o * inputs + k]);
    }
  }
});

it('rows of a table are filled up, and a vector is added to another', () => {
  const table = {
    kind: 'vector',
    stored: 'f32',
    param: 'p',
    length: 10,
    row: 5,
    accumulate: false,
    offset: 8,
  } as const;
  const at = packed(table, values(10));
  expect([8, 12, 13, 16, 20].map(at)).toEqual([0, 4, -1, 5, 9].map((i) => (i < 0 ? 0 : values(10)[i])));
  const to = values(4);
  packer({ ...table, length: 4, row: 4, accumulate: true, offset: 0 }, values(4))(to, 0);
  expect([...to]).toEqual([...values(4)].map((value) => Math.fround(2 * value)));
});

/** G of F(m x m, 3 x 3) as the paper has it, row by row from the points. */
function transform(m: 2 | 4): readonly (readonly number[])[] {
  if (m === 2)
    return [
      [1, 0, 0],
      [0.5, 0.5, 0.5],
      [0.5, -0.5, 0.5],
      [0, 0, 1],
    ];
  const points = [0, 5 / 8, -5 / 8, 3 / 2, -3 / 2];
  const rows = points.map((p) => {
    const scale = points.filter((q) => q !== p).reduce((product, q) => product * (p - q), 1);
    return [1, p, p * p].map((value) => value / scale);
  });
  return [...rows, [0, 0, 1]];
}

it.each([
  { m: 2, transposed: false },
  { m: 4, transposed: false },
  { m: 2, transposed: true },
  { m: 4, transposed: true },
] as const)('planes of Winograd, %o', ({ m, transposed }) => {
  const [outputs, inputs, tile, chunk, offset] = [10, 6, 8, 4, 64];
  const chunks = Math.ceil(inputs / chunk);
  const plane = Math.ceil(outputs / tile) * chunks * chunk * tile;
  const from = values(outputs * inputs * 9);
  const places = { tile, chunk, plane, offset };
  const at = packed({ kind: 'winograd', param: 'p', m, outputs, inputs, transposed, ...places }, from);
  const G = transform(m);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      const g = (y: number, x: number) =>
        transposed
          ? from[(i * outputs + o) * 9 + 3 * (2 - y) + 2 - x]!
          : from[(o * inputs + i) * 9 + 3 * y + x]!;
      const step = Math.floor(o / tile) * chunks + Math.floor(i / chunk);
      G.forEach((row, y) => {
        G.forEach((column, x) => {
          let sum = 0;
          for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) sum += row[r]! * g(r, c) * column[c]!;
          const place = (y * G.length + x) * plane + (step * chunk + (i % chunk)) * tile + (o % tile);
          expect(at(offset + place)).toBeCloseTo(sum, 5);
        });
      });
    }
  }
});
