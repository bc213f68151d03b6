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

/** Writes G (a, b, c) of m = 2 to four places `stride` apart. */
function transform2(to: Float32Array, at: number, stride: number, a: number, b: number, c: number): void {
  to[at] = a;
  to[at + stride] = (a + b + c) / 2;
  to[at + 2 * stride] = (a - b + c) / 2;
  to[at + 3 * stride] = c;
}

/** Writes G (a, b, c) of m = 4 to six places `stride` apart. */
function transform4(to: Float32Array, at: number, stride: number, a: number, b: number, c: number): void {
  const evenP = GP * (a + P * P * c);
  const evenQ = GQ * (a + Q * Q * c);
  const oddP = GP * P * b;
  const oddQ = GQ * Q * b;
  to[at] = G0 * a;
  to[at + stride] = evenP + oddP;
  to[at + 2 * stride] = evenP - oddP;
  to[at + 3 * stride] = evenQ + oddQ;
  to[at + 4 * stride] = evenQ - oddQ;
  to[at + 5 * stride] = c;
}

/** [O, I, 3, 3] to planes of [O / tile][I / chunk][I % chunk][O % tile], which begin at `offset`. */
export function packWinograd(part: Part, from: Float32Array, to: Float32Array, offset: number): void {
  const { m, outputs, inputs, tile, chunk, plane } = part;
  const place = m === 2 ? place2 : place4;
  let block = offset;
  for (let column = 0; column < outputs; column += tile) {
    const columnEnd = Math.min(column + tile, outputs);
    for (let c = 0; c < inputs; c += chunk) {
      const chunkEnd = Math.min(c + chunk, inputs);
      for (let o = column; o < columnEnd; o++) {
        let at = block + o - column;
        for (let i = c; i < chunkEnd; i++) {
          place(from, (o * inputs + i) * 9, to, at, plane);
          at += tile;
        }
      }
      block += tile * chunk;
    }
  }
}

type Place = (from: Float32Array, g: number, to: Float32Array, at: number, plane: number) => void;

/** Transforms the columns of the kernel at `g`, then each row of the result into its planes. */
const place2: Place = (from, g, to, at, plane) => {
  const a = from[g]!;
  const b = from[g + 1]!;
  const c = from[g + 2]!;
  const d = from[g + 3]!;
  const e = from[g + 4]!;
  const f = from[g + 5]!;
  const h = from[g + 6]!;
  const k = from[g + 7]!;
  const l = from[g + 8]!;
  const row = 4 * plane;
  transform2(to, at, plane, a, b, c);
  transform2(to, at + row, plane, (a + d + h) / 2, (b + e + k) / 2, (c + f + l) / 2);
  transform2(to, at + 2 * row, plane, (a - d + h) / 2, (b - e + k) / 2, (c - f + l) / 2);
  transform2(to, at + 3 * row, plane, h, k, l);
};

const place4: Place = (from, g, to, at, plane) => {
  const a = from[g]!;
  const b = from[g + 1]!;
  const c = from[g + 2]!;
  const d = P * from[g + 3]!;
  const e = P * from[g + 4]!;
  const f = P * from[g + 5]!;
  const h = from[g + 6]!;
  const k = from[g + 7]!;
  const l = from[g + 8]!;
  const ratio = Q / P;
  const row = 6 * plane;
  transform4(to, at, plane, G0 * a, G0 * b, G0 * c);
  const [ap, bp, cp] = [a + P * P * h, b + P * P * k, c + P * P * l];
  transform4(to, at + row, plane, GP * (ap + d), GP * (bp + e), GP * (cp + f));
  transform4(to, at + 2 * row, plane, GP * (ap - d), GP * (bp - e), GP * (cp - f));
  const [aq, bq, cq] = [a + Q * Q * h, b + Q * Q * k, c + Q * Q * l];
  const [dq, eq, fq] = [ratio * d, ratio * e, ratio * f];
  transform4(to, at + 3 * row, plane, GQ * (aq + dq), GQ * (bq + eq), GQ * (cq + fq));
  transform4(to, at + 4 * row, plane, GQ * (aq - dq), GQ * (bq - eq), GQ * (cq - fq));
  transform4(to, at + 5 * row, plane, h, k, l);
};
