// What the gradient of a classifier does to a step: the mean or the noise goes where the label is likelier.
//
//   condition_mean  : mean' = mean + variance g                               (Dhariwal & Nichol 2021, algorithm 1)
//   condition_score : eps'  = eps - sqrt(1 - a) g                             (algorithm 2)
//   guided x_0      : x_0'  = x_0 + (1 - a) / sqrt(a) g, which is what eps' leaves of x_t
//
// g is the gradient of scale log p(label | x_t) by x_t, a = alphas_cumprod. Arrays and float32 arithmetic as in
// distribution.ts.
// Source: openai/guided-diffusion, gaussian_diffusion.py (condition_mean, condition_score).

import { clipped, predictXstart, type StepDistribution } from './distribution.ts';
import type { DiffusionProcess } from './process.ts';

const f32 = Math.fround;

/** The distribution with its mean moved; the guess at x_0 stays the model's. */
export function conditionMean(step: StepDistribution, gradient: Float32Array): StepDistribution {
  const { mean, variance } = step;
  return { ...step, mean: mean.map((m, i) => m + f32(variance[i]! * gradient[i]!)) };
}

/** The noise `epsilon`, moved. It may have the variance behind it, which is left out. */
export function conditionScore(
  { tables }: DiffusionProcess,
  index: number,
  epsilon: Float32Array,
  gradient: Float32Array,
): Float32Array {
  const by = f32(Math.sqrt(f32(1 - f32(tables.alphas_cumprod[index]!))));
  return gradient.map((g, i) => epsilon[i]! - f32(by * g));
}

/**
 * The guess at x_0 that the guided noise leaves, clipped behind the guidance. It is summed up without the noise, whose
 * difference to x_t loses all digits near pure noise.
 */
export function guidedXstart(
  process: DiffusionProcess,
  index: number,
  x: Float32Array,
  output: Float32Array,
  gradient: Float32Array,
  clip: boolean,
): Float32Array {
  const a = process.tables.alphas_cumprod[index]!;
  const by = f32((1 - a) / Math.sqrt(a));
  const unguided = predictXstart(process, index, x, output, false);
  const moved = unguided.map((x0, i) => x0 + f32(by * gradient[i]!));
  return clipped(moved, clip ? process.settings.clip_range : null);
}
