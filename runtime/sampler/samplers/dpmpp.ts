// A step of DPM-Solver++(2M): the data prediction form, second order from the guesses of two steps.
//
//   alpha = sqrt(a), sigma = sqrt(1 - a), lambda = ln(alpha / sigma), h = lambda' - lambda, r = h_before / h
//   D  = (1 + 1 / 2r) x_0 - 1 / 2r x_0_before
//   x' = sigma' / sigma x - alpha' (exp(-h) - 1) D
//
// a = alphas_cumprod, primes the step towards the image, `before` the step towards noise. With D = x_0 this is DDIM
// without noise; so are the first step, which has none before it, and the one that leads to index 0, whose h is
// several times the one before: to extrapolate so far would overshoot (`lower_order_final` of the authors' code). The
// last step leads to sigma' = 0 and is x_0 itself. With a classifier x_0 is what the guided noise leaves (guided.ts).
// Source: Lu et al., "DPM-Solver++: Fast solver for guided sampling of diffusion probabilistic models", 2022,
// algorithm 2. Coefficients are float64, arithmetic on values float32.

import { predictXstart } from '../distribution.ts';
import { guidedXstart } from '../guided.ts';
import type { DiffusionProcess } from '../process.ts';
import type { SamplerDef } from './sampler.ts';

const f32 = Math.fround;

export const dpmpp: SamplerDef<Readonly<Record<never, never>>> = {
  about: 'DPM-Solver++(2M), second order, for 10 to 25 steps',
  defaults: {},
  check: () => undefined,
  *step({ process, index, x, kept, clip }) {
    const { output, gradient } = yield { index, x };
    const guess =
      gradient === null
        ? predictXstart(process, index, x, output, clip)
        : guidedXstart(process, index, x, output, gradient, clip);
    return { x: dpmSolverSample(process, index, x, guess, kept), guess, kept: guess };
  },
};

/**
 * x_t-1 from x_t and the guess at x_0.
 * @param last the guess at index + 1; null where there was none
 */
export function dpmSolverSample(
  { tables }: DiffusionProcess,
  index: number,
  x: Float32Array,
  guess: Float32Array,
  last: Float32Array | null,
): Float32Array {
  if (index === 0) return guess.slice();
  const here = tables.alphas_cumprod[index]!;
  const next = tables.alphas_cumprod[index - 1]!;
  const h = halfLogSnr(next) - halfLogSnr(here);
  const ofX = f32(Math.sqrt((1 - next) / (1 - here)));
  const ofData = f32(-Math.sqrt(next) * Math.expm1(-h));
  if (last === null || index === 1) return guess.map((x0, i) => f32(ofX * x[i]!) + f32(ofData * x0));
  const before = tables.alphas_cumprod[index + 1]!;
  const half = h / (2 * (halfLogSnr(here) - halfLogSnr(before)));
  const [ofGuess, ofLast] = [f32(1 + half), f32(half)];
  return guess.map((x0, i) => {
    const data = f32(f32(ofGuess * x0) - f32(ofLast * last[i]!));
    return f32(ofX * x[i]!) + f32(ofData * data);
  });
}

/** lambda: half the logarithm of the signal-to-noise ratio. */
function halfLogSnr(a: number): number {
  return 0.5 * Math.log(a / (1 - a));
}
