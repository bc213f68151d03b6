// Rounds a float value to another element type, to nearest with ties to even (IEEE 754).

import { NO_MACS, type OpDef } from './op.ts';
import { demand, demandFloat, unary } from './operands.ts';

/** The float16 nearest to `x`, as a number; ties go to the even one, values from 65520 up become infinite. */
export function roundToHalf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude >= 65520) return x > 0 ? Infinity : -Infinity;
  if (!(magnitude > 0)) return x; // zeros keep their sign, NaN stays
  const exponent = magnitude < 2 ** -14 ? -14 : exponentOf(magnitude);
  const ulp = 2 ** (exponent - 10);
  // Adding 1.5·2^52 leaves no room for a fraction: the hardware rounds to a whole number, ties to even.
  const rounded = (magnitude / ulp + INTEGER_BIAS - INTEGER_BIAS) * ulp;
  return x < 0 ? -rounded : rounded;
}

const INTEGER_BIAS = 1.5 * 2 ** 52;

/** floor(log2(x)) of a positive normal number; the logarithm can be off by one next to a power of two. */
function exponentOf(x: number): number {
  const guess = Math.floor(Math.log2(x));
  if (2 ** guess > x) return guess - 1;
  return 2 ** (guess + 1) <= x ? guess + 1 : guess;
}

export const cast: OpDef<'cast'> = {
  infer(inputs, { dtype }) {
    const [x] = unary('cast', inputs);
    demandFloat('cast', 'x', x);
    demand(dtype !== 'u32', 'cast', () => 'cannot cast to u32');
    return { dtype, shape: x.shape };
  },
  macs: () => NO_MACS,
  flops: () => 0,
  reference(inputs, { dtype }) {
    const [x] = unary('cast', inputs);
    return { shape: x.shape, data: x.data.map(dtype === 'f16' ? roundToHalf : Math.fround) };
  },
};
