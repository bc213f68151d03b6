// The weights of a 3x3 convolution by Winograd's F(m x m, 3 x 3): the kernel g of a pair of channels becomes the planes
// G g GT, computed in float64. Source: Lavin and Gray 2016, arXiv:1509.09308.
// Row p of G is (1, p, p^2) / prod (p - p') over the other finite points, and (0, 0, 1) for the point at infinity; the
// points are those of the kernels' transforms (`compiler/codegen/groups/winograd-transforms.ts`). For m = 2 they are
// 0, 1, -1 with the signs of the paper.

import type { WeightPart } from '../bundle.ts';

type Part = Extract<WeightPart, { kind: 'winograd' }>;

type Row = readonly [number, number, number];

const G2: readonly Row[] = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
];

const POINTS4 = [0, 5 / 8, -5 / 8, 3 / 2, -3 / 2];

const G4: readonly Row[] = [
  ...POINTS4.map((p): Row => {
    const scale = POINTS4.reduce((product, other) => (other === p ? product : product * (p - other)), 1);
    return [1 / scale, p / scale, (p * p) / scale];
  }),
  [0, 0, 1],
];

/** [O, I, 3, 3] to planes of [O / tile][I / chunk][I % chunk][O % tile]. */
export function packWinograd(part: Part, from: Float32Array, to: Float32Array): void {
  const { m, outputs, inputs, tile, chunk, plane, offset } = part;
  const rows = m === 2 ? G2 : G4;
  const side = rows.length;
  const chunks = Math.ceil(inputs / chunk);
  const half = new Float64Array(side * 3);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      const g = (o * inputs + i) * 9;
      for (let y = 0; y < side; y++) {
        const [a, b, c] = rows[y]!;
        for (let x = 0; x < 3; x++)
          half[y * 3 + x] = a * from[g + x]! + b * from[g + 3 + x]! + c * from[g + 6 + x]!;
      }
      const step = Math.floor(o / tile) * chunks + Math.floor(i / chunk);
      const at = offset + (step * chunk + (i % chunk)) * tile + (o % tile);
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          const [a, b, c] = rows[x]!;
          to[at + (y * side + x) * plane] = a * half[y * 3]! + b * half[y * 3 + 1]! + c * half[y * 3 + 2]!;
        }
      }
    }
  }
}
