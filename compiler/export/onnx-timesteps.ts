// The sinusoidal embedding of timesteps in ONNX operators of float32 alone: not every engine has float64 (ONNX Runtime on WebGPU
// places no cast to it), and not every engine's Cos and Sin are exact at large angles (WGSL promises 2^-11, and that within
// one turn). So angles are reduced to a quarter turn by sums that round nothing, and both functions are polynomials there.
// Source of the reduction: Cody and Waite 1980, Software Manual for the Elementary Functions; of the three parts of pi:
// Moshier's Cephes library, sinf.c.

import type { NodeOf } from '../opgraph/opgraph.ts';
import { timestepFrequencies } from '../ops/timestep_embedding.ts';
import type { OnnxBuilder } from './onnx-builder.ts';
import { int } from './onnx-builder.ts';

/** Pi in parts of few digits: up to 2^13 half turns times each of the first two are exact in float32. */
const PI_PARTS = [3.140625, 9.675025939941406e-4, 1.509957990978376e-7];

/** Terms of both series: the first that is left out is 6e-11 at a quarter turn. */
const TERMS = 8;

/** The embedding of a column [B, 1] of timesteps as [B, dim]. Angles are rounded to float32, as the op says. */
export function embedTimesteps(
  b: OnnxBuilder,
  { path, attrs }: Pick<NodeOf<'timestep_embedding'>, 'path' | 'attrs'>,
  column: string,
): string {
  const frequencies = [...timestepFrequencies(attrs)];
  const half = frequencies.length;
  const number = (value: number) => b.float([], [value]);
  const calculate = (operator: 'Add' | 'Sub' | 'Mul', x: string, y: string) => b.node(path, operator, [x, y]);
  const floor = (x: string) => b.node(path, 'Floor', [x]);
  /** Columns of cosines and of sines, in the order of the op. */
  const beside = (cosines: string, sines: string) => {
    const ordered = attrs.order === 'cos_sin' ? [cosines, sines] : [sines, cosines];
    return b.node(path, 'Concat', ordered, [int('axis', 1)]);
  };

  const angles = calculate('Mul', column, b.float([1, half], frequencies));
  // angle = halfTurns * pi + rest, |rest| <= pi / 2
  const turned = calculate('Mul', angles, number(1 / Math.PI));
  const halfTurns = floor(calculate('Add', turned, number(0.5)));
  const rest = PI_PARTS.reduce(
    (left, part) => calculate('Sub', left, calculate('Mul', halfTurns, number(part))),
    angles,
  );
  // each half turn changes the sign of both
  const pairs = calculate('Mul', floor(calculate('Mul', halfTurns, number(0.5))), number(2));
  const odd = calculate('Sub', halfTurns, pairs);
  const sign = calculate('Sub', number(1), calculate('Mul', odd, number(2)));

  // cos r = sum of (-1)^k r^2k / (2k)!, sin r = r * sum of (-1)^k r^2k / (2k + 1)!
  const square = calculate('Mul', rest, rest);
  const squares = beside(square, square);
  let sum = '';
  for (let k = TERMS - 1; k >= 0; k--) {
    const [even, uneven] = [2 * k, 2 * k + 1].map((n) => Array<number>(half).fill((-1) ** k / factorial(n)));
    const ordered = attrs.order === 'cos_sin' ? [even!, uneven!] : [uneven!, even!];
    const coefficients = b.float([1, 2 * half], ordered.flat());
    sum = sum === '' ? coefficients : calculate('Add', calculate('Mul', sum, squares), coefficients);
  }
  const found = calculate('Mul', sum, beside(sign, calculate('Mul', sign, rest)));
  return attrs.dim % 2 === 0 ? found : b.node(path, 'Pad', [found, b.int64([0, 0, 0, 1])]);
}

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}
