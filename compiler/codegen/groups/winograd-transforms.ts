// The code of Winograd's transforms of one row or column, as bodies of the hook `transform`.
// F(2, 3) has the points 0, 1, -1 and infinity (Lavin and Gray 2016). F(4, 3) has 0, ±5/8, ±3/2 and infinity instead of
// the usual 0, ±1, ±2: sums of a few hundred channels come out 2.5 times more exact, as exact as without the algorithm.
// With points ±a and ±b the rows of BT are the polynomials prod (x - p') over the other finite points; what they are
// divided by is in the weights (`runtime/weights/winograd.ts`).
// The gradient of the weight takes the same steps from the other side: planes of the cotangent by A, and its taps by GT.

import type { WinogradTile } from '../../schedule/schedule.ts';
import type { LongBody } from '../wgsl/link.ts';

/** Points a and b of F(4, 3): their squares are exact. */
const A = 5 / 8;
const B = 3 / 2;
const AA = A * A;
const BB = B * B;

/** BT of a patch of `PATCH` values. */
export function inputTransformOf(m: WinogradTile): readonly string[] {
  return m === 2
    ? ['return array<vec4f, 4>(d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]);']
    : [
        `let even_a = d[4] - ${BB} * d[2];`,
        `let odd_a = ${A} * (d[3] - ${BB} * d[1]);`,
        `let even_b = d[4] - ${AA} * d[2];`,
        `let odd_b = ${B} * (d[3] - ${AA} * d[1]);`,
        'return array<vec4f, 6>(',
        `  ${AA * BB} * d[0] - ${AA + BB} * d[2] + d[4],`,
        '  even_a + odd_a,',
        '  even_a - odd_a,',
        '  even_b + odd_b,',
        '  even_b - odd_b,',
        `  ${AA * BB} * d[1] - ${AA + BB} * d[3] + d[5],`,
        ');',
      ];
}

/** AT of the products of a tile. */
export function outputTransformOf(m: WinogradTile): readonly string[] {
  return m === 2
    ? ['return array<vec4f, 2>(p[0] + p[1] + p[2], p[1] - p[2] - p[3]);']
    : [
        'let even_a = p[1] + p[2];',
        `let odd_a = ${A} * (p[1] - p[2]);`,
        'let even_b = p[3] + p[4];',
        `let odd_b = ${B} * (p[3] - p[4]);`,
        'return array<vec4f, 4>(',
        '  p[0] + even_a + even_b,',
        '  odd_a + odd_b,',
        `  ${AA} * even_a + ${BB} * even_b,`,
        `  ${AA} * odd_a + ${BB} * odd_b + p[5],`,
        ');',
      ];
}

/** A of the cotangents of a tile. */
export function cotangentTransformOf(m: WinogradTile): readonly string[] {
  return m === 2
    ? ['return array<vec4f, 4>(g[0], g[0] + g[1], g[0] - g[1], -g[1]);']
    : [
        `let even_a = g[0] + ${AA} * g[2];`,
        `let odd_a = ${A} * (g[1] + ${AA} * g[3]);`,
        `let even_b = g[0] + ${BB} * g[2];`,
        `let odd_b = ${B} * (g[1] + ${BB} * g[3]);`,
        'return array<vec4f, 6>(g[0], even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, g[3]);',
      ];
}

/** What the rows of G of 0, ±a and ±b are divided by: the products of a point's distances to the other finite points. */
const OF_ZERO = AA * BB;
const OF_A = 2 * AA * (AA - BB);
const OF_B = 2 * BB * (BB - AA);

/** Rows of G of F(m x m, 3 x 3), as the host packs weights with them (`runtime/weights/winograd.ts`). */
function weightRows(m: WinogradTile): readonly (readonly [number, number, number])[] {
  if (m === 2) {
    return [
      [1, 0, 0],
      [0.5, 0.5, 0.5],
      [0.5, -0.5, 0.5],
      [0, 0, 1],
    ];
  }
  return [
    [1 / OF_ZERO, 0, 0],
    [1 / OF_A, A / OF_A, AA / OF_A],
    [1 / OF_A, -A / OF_A, AA / OF_A],
    [1 / OF_B, B / OF_B, BB / OF_B],
    [1 / OF_B, -B / OF_B, BB / OF_B],
    [0, 0, 1],
  ];
}

/** The row of G of a point, by which the products of a plane count in the gradients of the taps. */
export function rowsOfG(m: WinogradTile): readonly string[] {
  const rows = weightRows(m).map((row) => `vec3f(${row.join(', ')})`);
  return [`let rows = array<vec3f, ${rows.length}>(${rows.join(', ')});`, 'return rows[point];'];
}

/** The planes G g GT of the taps `g`, each stored `sizes.plane` behind the one before. */
export function planesTransform(m: WinogradTile): LongBody {
  const rows = weightRows(m);
  const sum = (factors: readonly number[], terms: readonly string[]) =>
    factors
      .flatMap((factor, i) => (factor === 0 ? [] : [factor === 1 ? terms[i]! : `${factor} * ${terms[i]}`]))
      .join(' + ')
      .replaceAll('+ -', '- ');
  const lines = () =>
    rows.flatMap((row, r) => [
      ...['a', 'b', 'c'].map(
        (name, column) =>
          `let ${name}${r} = ${sum(
            row,
            [0, 3, 6].map((tap) => `g[${tap + column}]`),
          )};`,
      ),
      ...rows.map((other, s) => {
        const at = `at + ${r * rows.length + s}u * sizes.plane`;
        return `packed[${at}] = ${sum(other, [`a${r}`, `b${r}`, `c${r}`])};`;
      }),
    ]);
  return { name: `planes of F(${m}, 3)`, lines };
}
