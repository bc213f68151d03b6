// DDIM, forwards and backwards.
//
//   ddim    : x_t-1 = sqrt(a') x_0 + sqrt(1 - a' - sigma^2) eps + sigma noise
//             sigma = eta sqrt((1 - a') / (1 - a)) sqrt(1 - a / a')            (Song et al. 2021, eq. 12 and 16)
//   reverse : x_t+1 = sqrt(a") x_0 + sqrt(1 - a") eps
//
// a = alphas_cumprod, a' and a" its neighbours towards the image and towards noise. The original derives eps from the
// guess at x_0, so that clipping the guess changes it too; diffusers takes the eps of the model's output. Arrays and float32 arithmetic as in distribution.ts.

import { RuntimeError } from '../../errors.ts';
import { epsilonFromXstart, predictEpsilon, predictXstart, xstartFromEpsilon } from '../distribution.ts';
import { conditionScore, guidedXstart } from '../guided.ts';
import type { DiffusionProcess } from '../process.ts';
import type { Answer, SamplerDef } from './sampler.ts';

const f32 = Math.fround;

/** `eta` scales the noise: 0 is deterministic, 1 has the posterior variance. */
export const ddim: SamplerDef<{ readonly eta: number }> = {
  about: 'dozens of steps; eta scales its noise, 0 is deterministic and 1 has that of ddpm',
  defaults: { eta: 0 },
  check: (process, { eta }) => checkEta(process, eta),
  *step({ process, index, x, options: { eta }, clip, noise }) {
    const answer = yield { index, x };
    const { guess, epsilon } = readAnswer(process, index, x, answer, clip);
    return { x: ddimSample(process, index, guess, epsilon, eta, eta > 0 ? noise : null), guess, kept: null };
  },
};

/** What an answer says of x_t: the guess at x_0, and the noise that a step takes x_t to hold. */
export interface Reading {
  readonly guess: Float32Array;
  readonly epsilon: Float32Array;
}

/**
 * Reads an answer as DDIM does: the noise from the guess at x_0, or with a spacing of diffusers from the output. A
 * classifier moves both: the original the noise that the clipped guess leaves, and with it the guess (`condition_score`);
 * by the conventions of diffusers the output's noise, from which the guess is made and clipped.
 */
export function readAnswer(
  process: DiffusionProcess,
  index: number,
  x: Float32Array,
  { output, gradient }: Answer,
  clip: boolean,
): Reading {
  const isOriginal = process.settings.timestep_spacing === null;
  if (gradient === null) {
    const guess = predictXstart(process, index, x, output, clip);
    const epsilon = isOriginal
      ? epsilonFromXstart(process, index, x, guess)
      : predictEpsilon(process, index, x, output);
    return { guess, epsilon };
  }
  if (isOriginal) {
    const clipped = predictXstart(process, index, x, output, clip);
    const moved = conditionScore(process, index, epsilonFromXstart(process, index, x, clipped), gradient);
    const guess = xstartFromEpsilon(process, index, x, moved);
    return { guess, epsilon: epsilonFromXstart(process, index, x, guess) };
  }
  const guess = guidedXstart(process, index, x, output, gradient, clip);
  return {
    guess,
    epsilon: conditionScore(process, index, predictEpsilon(process, index, x, output), gradient),
  };
}

/** A step from the guess at x_0 and the noise that x_t holds. `eta` must have passed `checkEta`. */
export function ddimSample(
  { tables, ddim_alphas_cumprod_prev }: DiffusionProcess,
  index: number,
  xstart: Float32Array,
  epsilon: Float32Array,
  eta: number,
  noise: (() => Float32Array) | null,
): Float32Array {
  const here = f32(tables.alphas_cumprod[index]!);
  const previous = f32(ddim_alphas_cumprod_prev[index]!);
  const shrink = f32(Math.sqrt(f32(f32(1 - previous) / f32(1 - here))));
  const sigma = f32(f32(f32(eta) * shrink) * f32(Math.sqrt(f32(1 - f32(here / previous)))));
  const ofXstart = f32(Math.sqrt(previous));
  // At eta 1 almost nothing is left near pure noise, and rounding may take it below 0.
  const ofEpsilon = f32(Math.sqrt(Math.max(0, f32(f32(1 - previous) - f32(sigma * sigma)))));
  const mean = xstart.map((x0, i) => f32(x0 * ofXstart) + f32(ofEpsilon * epsilon[i]!));
  if (sigma === 0 || noise === null) return mean;
  const drawn = noise();
  return mean.map((m, i) => m + f32(sigma * drawn[i]!));
}

/**
 * A deterministic DDIM step backwards, from the guess at x_0 and the noise that x_t holds to x_t+1: from an image towards
 * its latent.
 */
export function ddimReverse(
  { tables }: DiffusionProcess,
  index: number,
  xstart: Float32Array,
  epsilon: Float32Array,
): Float32Array {
  const next = f32(tables.alphas_cumprod_next[index]!);
  const ofXstart = f32(Math.sqrt(next));
  const ofEpsilon = f32(Math.sqrt(f32(1 - next)));
  return xstart.map((x0, i) => f32(x0 * ofXstart) + f32(ofEpsilon * epsilon[i]!));
}

/**
 * Checks that DDIM's noise leaves room for the rest at every step: sigma^2 <= 1 - a', which every eta up to 1 does.
 * @throws RuntimeError('input') with the largest eta that works
 */
export function checkEta({ tables, ddim_alphas_cumprod_prev }: DiffusionProcess, eta: number): void {
  let largest = Number.POSITIVE_INFINITY;
  for (const [index, previous] of ddim_alphas_cumprod_prev.entries()) {
    const here = tables.alphas_cumprod[index]!;
    // At eta 1 it is sigma^2 = (1 - a') / (1 - a) · (1 - a / a'); into the image itself (a' = 1) no noise is added.
    if (previous < 1) largest = Math.min(largest, Math.sqrt((1 - here) / (1 - here / previous)));
  }
  if (eta >= 0 && (eta <= 1 || eta <= largest)) return;
  const most = Math.max(1, Math.floor(largest * 1000) / 1000);
  throw new RuntimeError('input', `eta: ${eta} is out of range; this process allows 0 to ${most}`);
}
