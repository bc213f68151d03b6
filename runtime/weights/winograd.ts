// The weights of a 3x3 convolution by Winograd's F(m x m, 3 x 3): the kernel g of a pair of channels becomes the planes
// G g GT, computed in float64. Source: Lavin and Gray 2016, arXiv:1509.09308.
// Row p of G is (1, p, p^2) / prod (p - p') over the other finite points, and (0, 0, 1) for the point at infinity; the
// points are those of the kernels' transforms (`compiler/codegen/groups/winograd-transforms.ts`): 0, p, -p, q, -q. For
// m = 2 they are 0, 1, -1 with the signs of the paper. Rows of p and -p differ in the sign of their middle alone.

import type { WeightPart } from '../bundle.ts';

type Part = Extract<WeightPart, { kind: 'winograd' }>;

const P = 5 / 8;
const Q = 3 / 2;
/** The first entry of the rows of 0, p and q; the others are p and p^2 times as much. */
const G0 = 1 / (P * P * Q * Q);
const GP = 1 / (2 * P * P * (P * P - Q * Q));
const GQ = 1 / (2 * Q * Q * (Q * Q - P * P));

/** The points of each m but 0 and infinity, in the order of the rows of G, with the first entry of the row. */
const POINTS = {
  2: [
    [1, 1 / 2],
    [-1, 1 / 2],
  ],
  4: [
    [P, GP],
    [-P, GP],
    [Q, GQ],
    [-Q, GQ],
  ],
} as const;

/**
 * [O, I, 3, 3], or where it is transposed [I, O, 3, 3] with taps in reverse, to planes of [O / tile][I / chunk][I % chunk][O % tile], which begin at `offset`: those that lie in `to`.
 * The m + 2 planes that a row of G g becomes are made at once, and not more: planes lie powers of two apart, and all of
 * them at once would drive each other out of the cache.
 */
export function packWinograd(part: Part, from: Float32Array, to: Float32Array, offset: number): void {
  const { m, outputs, inputs, tile, chunk, plane } = part;
  const spread = m === 2 ? spread2 : spread4;
  const block = new Float64Array(3 * tile * chunk);
  for (let row = 0; row < m + 2; row++) {
    let at = offset + row * (m + 2) * plane;
    if (at < 0 || at + (m + 2) * plane > to.length) continue;
    for (let o = 0; o < outputs; o += tile) {
      for (let i = 0; i < inputs; i += chunk) {
        transformRow(part, row, from, o, i, block);
        spread(block, to, at, plane);
        at += tile * chunk;
      }
    }
  }
}

/** One row of G g for the kernels of a tile of outputs and a chunk of inputs: three numbers each, zeros for none. */
function transformRow(
  part: Part,
  row: number,
  from: Float32Array,
  o: number,
  i: number,
  to: Float64Array,
): void {
  const { m, outputs, inputs, tile, chunk } = part;
  if (o + tile > outputs || i + chunk > inputs) to.fill(0);
  const point = POINTS[m][row - 1];
  if (point !== undefined) sumRows(part, point[0], point[1], from, o, i, to);
  else if (row === 0) scaleRows(part, 0, m === 2 ? 1 : G0, from, o, i, to);
  else scaleRows(part, 2, 1, from, o, i, to);
}

/**
 * Where the kernel of an output and an input lies in a parameter: of output o and input i at o * output + i * input + first,
 * from tap to tap by `tap`.
 */
function stridesOf({ outputs, inputs, transposed }: Part) {
  return transposed
    ? { output: 9, input: 9 * outputs, first: 8, tap: -1 }
    : { output: 9 * inputs, input: 9, first: 0, tap: 1 };
}

/** The row of a point `p`. */
function sumRows(
  part: Part,
  p: number,
  scale: number,
  from: Float32Array,
  o: number,
  i: number,
  to: Float64Array,
): void {
  const { outputs, inputs, tile, chunk } = part;
  const { output, input, first, tap } = stridesOf(part);
  const count = Math.min(tile, outputs - o);
  const last = Math.min(chunk, inputs - i);
  const square = p * p;
  for (let k = 0; k < last; k++) {
    let at = 3 * k * tile;
    let g = o * output + (i + k) * input + first;
    for (let n = 0; n < count; n++) {
      for (let column = 0; column < 3; column++) {
        const top = g + column * tap;
        to[at + column] = scale * (from[top]! + square * from[top + 6 * tap]! + p * from[top + 3 * tap]!);
      }
      at += 3;
      g += output;
    }
  }
}

/** The row of the point 0 or of infinity: the first or last row of each kernel, times `scale`. */
function scaleRows(
  part: Part,
  row: 0 | 2,
  scale: number,
  from: Float32Array,
  o: number,
  i: number,
  to: Float64Array,
): void {
  const { outputs, inputs, tile, chunk } = part;
  const { output, input, first, tap } = stridesOf(part);
  const count = Math.min(tile, outputs - o);
  const last = Math.min(chunk, inputs - i);
  for (let k = 0; k < last; k++) {
    let at = 3 * k * tile;
    let g = o * output + (i + k) * input + first + 3 * row * tap;
    for (let n = 0; n < count; n++) {
      to[at] = scale * from[g]!;
      to[at + 1] = scale * from[g + tap]!;
      to[at + 2] = scale * from[g + 2 * tap]!;
      at += 3;
      g += output;
    }
  }
}

/** Multiplies rows (a, b, c) by GT of m = 2, into four planes. */
function spread2(rows: Float64Array, to: Float32Array, at: number, plane: number): void {
  for (let k = 0; k < rows.length; k += 3) {
    const a = rows[k]!;
    const b = rows[k + 1]!;
    const c = rows[k + 2]!;
    to[at] = a;
    to[at + plane] = (a + b + c) / 2;
    to[at + 2 * plane] = (a - b + c) / 2;
    to[at + 3 * plane] = c;
    at++;
  }
}

/** As `spread2`, of m = 4, into six. */
function spread4(rows: Float64Array, to: Float32Array, at: number, plane: number): void {
  for (let k = 0; k < rows.length; k += 3) {
    const a = rows[k]!;
    const b = rows[k + 1]!;
    const c = rows[k + 2]!;
    const evenP = GP * (a + P * P * c);
    const evenQ = GQ * (a + Q * Q * c);
    const oddP = GP * P * b;
    const oddQ = GQ * Q * b;
    to[at] = G0 * a;
    to[at + plane] = evenP + oddP;
    to[at + 2 * plane] = evenP - oddP;
    to[at + 3 * plane] = evenQ + oddQ;
    to[at + 4 * plane] = evenQ - oddQ;
    to[at + 5 * plane] = c;
    at++;
  }
}
