// One step along the chain, given the model's output: ancestral, DDIM, and DDIM backwards; DPM-Solver++ is in
// dpm-solver.ts.
//
//   ddpm    : x_t-1 = mean + exp(log_variance / 2) noise                       (Ho et al. 2020, algorithm 2)
//   ddim    : x_t-1 = sqrt(a') x_0 + sqrt(1 - a' - sigma^2) eps + sigma noise
//             sigma = eta sqrt((1 - a') / (1 - a)) sqrt(1 - a / a')            (Song et al. 2021, eq. 12 and 16)
//   reverse : x_t+1 = sqrt(a") x_0 + sqrt(1 - a") eps
//
// a = alphas_cumprod, a' and a" its neighbours towards the image and towards noise; eps is derived from x_0, so
// that clipping x_0 changes it too. Arrays and float32 arithmetic as in distribution.ts.

import { RuntimeError } from '../errors.ts';
import type { StepDistribution } from './distribution.ts';
import { predictXstart, stepDistribution } from './distribution.ts';
import { dpmSolverSample } from './dpm-solver.ts';
import type { DiffusionProcess } from './process.ts';

const f32 = Math.fround;

/**
 * How to walk the chain. `eta` scales DDIM's noise: 0 is deterministic, 1 has the posterior variance. `dpmpp` is
 * DPM-Solver++(2M), deterministic.
 */
export type Sampler =
  | { readonly kind: 'ddpm' }
  | { readonly kind: 'ddim'; readonly eta: number }
  | { readonly kind: 'dpmpp' };

/** What a step gives. */
export interface StepResult {
  /** x_t-1. */
  readonly x: Float32Array;
  /** The guess at x_0 that it was made from. */
  readonly guess: Float32Array;
}

/** Whether the step at `index` draws noise. The last one (index 0) never does. */
export function drawsNoise(sampler: Sampler, index: number): boolean {
  return index > 0 && (sampler.kind === 'ddpm' || (sampler.kind === 'ddim' && sampler.eta > 0));
}

/** Whether a step reads the guess at x_0 of the step before. */
export function usesLastGuess(sampler: Sampler): boolean {
  return sampler.kind === 'dpmpp';
}

/**
 * x_t-1 from x_t and the model's output.
 * @param noise standard normal of the sample's length; null where `drawsNoise` is false
 * @param clip clips the guess at x_0 to [-1, 1]
 * @param last the guess at x_0 of the step before, at index + 1; null at the first step
 */
export function sampleStep(
  process: DiffusionProcess,
  index: number,
  sampler: Sampler,
  x: Float32Array,
  output: Float32Array,
  noise: Float32Array | null,
  clip: boolean,
  last: Float32Array | null = null,
): StepResult {
  if (noise === null && drawsNoise(sampler, index))
    throw new Error(`internal: step ${index} was given no noise`);
  switch (sampler.kind) {
    case 'ddpm': {
      const step = stepDistribution(process, index, x, output, clip);
      return { x: ddpmSample(step, index, noise), guess: step.pred_xstart };
    }
    case 'ddim': {
      const guess = predictXstart(process, index, x, output, clip);
      return { x: ddimSample(process, index, x, guess, sampler.eta, noise), guess };
    }
    case 'dpmpp': {
      const guess = predictXstart(process, index, x, output, clip);
      return { x: dpmSolverSample(process, index, x, guess, last), guess };
    }
  }
}

/** Ancestral sampling: a draw from p(x_t-1 | x_t). */
export function ddpmSample(
  { mean, log_variance }: StepDistribution,
  index: number,
  noise: Float32Array | null,
): Float32Array {
  if (index === 0 || noise === null) return mean.slice();
  return mean.map((m, i) => m + f32(f32(Math.exp(f32(0.5 * log_variance[i]!))) * noise[i]!));
}

/** A DDIM step from x_t and the guess at x_0. `eta` must have passed `checkEta`. */
export function ddimSample(
  process: DiffusionProcess,
  index: number,
  x: Float32Array,
  xstart: Float32Array,
  eta: number,
  noise: Float32Array | null,
): Float32Array {
  const here = f32(process.tables.alphas_cumprod[index]!);
  const previous = f32(process.tables.alphas_cumprod_prev[index]!);
  const shrink = f32(Math.sqrt(f32(f32(1 - previous) / f32(1 - here))));
  const sigma = f32(f32(f32(eta) * shrink) * f32(Math.sqrt(f32(1 - f32(here / previous)))));
  const ofXstart = f32(Math.sqrt(previous));
  // At eta 1 almost nothing is left near pure noise, and rounding may take it below 0.
  const ofEpsilon = f32(Math.sqrt(Math.max(0, f32(f32(1 - previous) - f32(sigma * sigma)))));
  const epsilon = epsilonFromXstart(process, index, x, xstart);
  const mean = xstart.map((x0, i) => f32(x0 * ofXstart) + f32(ofEpsilon * epsilon[i]!));
  if (index === 0 || sigma === 0 || noise === null) return mean;
  return mean.map((m, i) => m + f32(sigma * noise[i]!));
}

/** A deterministic DDIM step backwards, from x_t and the guess at x_0 to x_t+1: from an image towards its latent. */
export function ddimReverse(
  process: DiffusionProcess,
  index: number,
  x: Float32Array,
  xstart: Float32Array,
): Float32Array {
  const next = f32(process.tables.alphas_cumprod_next[index]!);
  const ofXstart = f32(Math.sqrt(next));
  const ofEpsilon = f32(Math.sqrt(f32(1 - next)));
  const epsilon = epsilonFromXstart(process, index, x, xstart);
  return xstart.map((x0, i) => f32(x0 * ofXstart) + f32(ofEpsilon * epsilon[i]!));
}

/**
 * Checks that DDIM's noise leaves room for the rest at every step: sigma^2 <= 1 - a', which every eta up to 1 does.
 * @throws RuntimeError('input') with the largest eta that works
 */
export function checkEta({ tables }: DiffusionProcess, eta: number): void {
  let largest = Number.POSITIVE_INFINITY;
  for (let index = 1; index < tables.betas.length; index++) {
    // sigma^2 at eta 1 is the posterior variance.
    const room = 1 - tables.alphas_cumprod_prev[index]!;
    largest = Math.min(largest, Math.sqrt(room / tables.posterior_variance[index]!));
  }
  if (eta >= 0 && (eta <= 1 || eta <= largest)) return;
  const most = Math.max(1, Math.floor(largest * 1000) / 1000);
  throw new RuntimeError('input', `eta: ${eta} is out of range; this process allows 0 to ${most}`);
}

/** The noise that x_t holds if x_0 is `xstart`. */
export function epsilonFromXstart(
  { tables }: DiffusionProcess,
  index: number,
  x: Float32Array,
  xstart: Float32Array,
): Float32Array {
  const ofX = f32(tables.sqrt_recip_alphas_cumprod[index]!);
  const divisor = f32(tables.sqrt_recipm1_alphas_cumprod[index]!);
  return xstart.map((x0, i) => f32(f32(ofX * x[i]!) - x0) / divisor);
}
