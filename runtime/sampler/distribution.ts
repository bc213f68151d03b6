// What the model's output says about the step before: its guess at x_0 and the distribution p(x_t-1 | x_t).
//
//   epsilon    : x_0 = sqrt(1/a) x_t - sqrt(1/a - 1) output                            (a = alphas_cumprod)
//   x_start    : x_0 = output
//   v          : x_0 = sqrt(a) x_t - sqrt(1 - a) output                                   (Salimans & Ho 2022)
//   previous_x : x_0 = (output - posterior_mean_coef2 x_t) / posterior_mean_coef1,  mean = output
//   mean       : posterior_mean_coef1 x_0 + posterior_mean_coef2 x_t                (Ho et al. 2020, eq. 7)
//
// Arithmetic is float32, rounded after each operation and in the original's order: near pure noise x_0 is the
// difference of two numbers up to 1e5 times its size, and only the same roundings give the same image.
// Arrays hold one sample, [C, ...space] row-major; the model's output has twice the channels where it learned
// the variance.

import type { DiffusionProcess } from './process.ts';

const f32 = Math.fround;

/** p(x_t-1 | x_t), each array of the sample's length. */
export interface StepDistribution {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly log_variance: Float32Array;
  /** The guess at x_0 that the mean was made from. */
  readonly pred_xstart: Float32Array;
}

/**
 * The model's guess at x_0.
 * @param index of the process, 0 the least noisy
 * @param x x_t
 * @param output the model's output for x
 * @param clip clips the guess to the range of the settings, as the models are meant to be sampled; NaN stays NaN
 */
export function predictXstart(
  process: DiffusionProcess,
  index: number,
  x: Float32Array,
  output: Float32Array,
  clip: boolean,
): Float32Array {
  const { tables, settings } = process;
  const range = clip ? settings.clip_range : null;
  switch (settings.predict) {
    case 'epsilon':
      return clipped(xstartFromEpsilon(process, index, x, output), range);
    case 'x_start':
      return clipped(output.slice(0, x.length), range);
    case 'v': {
      const ofX = f32(tables.sqrt_alphas_cumprod[index]!);
      const ofOutput = f32(tables.sqrt_one_minus_alphas_cumprod[index]!);
      return clipped(
        x.map((value, i) => f32(ofX * value) - f32(ofOutput * output[i]!)),
        range,
      );
    }
    case 'previous_x': {
      const coef1 = tables.posterior_mean_coef1[index]!;
      const ofOutput = f32(1 / coef1);
      const ofX = f32(tables.posterior_mean_coef2[index]! / coef1);
      return clipped(
        x.map((value, i) => f32(ofOutput * output[i]!) - f32(ofX * value)),
        range,
      );
    }
  }
}

/**
 * The noise that the model sees in x_t, as diffusers reads it: from the output itself, whatever becomes of the guess at x_0.
 * Parameters as `predictXstart`.
 */
export function predictEpsilon(
  process: DiffusionProcess,
  index: number,
  x: Float32Array,
  output: Float32Array,
): Float32Array {
  const { tables, settings } = process;
  switch (settings.predict) {
    case 'epsilon':
      return output.slice(0, x.length);
    case 'v': {
      const ofX = f32(tables.sqrt_one_minus_alphas_cumprod[index]!);
      const ofOutput = f32(tables.sqrt_alphas_cumprod[index]!);
      return x.map((value, i) => f32(ofOutput * output[i]!) + f32(ofX * value));
    }
    case 'x_start':
    case 'previous_x': {
      const ofXstart = f32(tables.sqrt_alphas_cumprod[index]!);
      const divisor = f32(tables.sqrt_one_minus_alphas_cumprod[index]!);
      const xstart = predictXstart(process, index, x, output, false);
      return x.map((value, i) => f32(value - f32(ofXstart * xstart[i]!)) / divisor);
    }
  }
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

/** x_0 if x_t holds the noise `epsilon`, which may have the variance behind it. */
export function xstartFromEpsilon(
  { tables }: DiffusionProcess,
  index: number,
  x: Float32Array,
  epsilon: Float32Array,
): Float32Array {
  const ofX = f32(tables.sqrt_recip_alphas_cumprod[index]!);
  const ofEpsilon = f32(tables.sqrt_recipm1_alphas_cumprod[index]!);
  return x.map((value, i) => f32(ofX * value) - f32(ofEpsilon * epsilon[i]!));
}

/** Values within [-range, range]; all of them where there is no range. NaN stays NaN. */
export function clipped(values: Float32Array, range: number | null): Float32Array {
  return range === null ? values : values.map((value) => Math.min(range, Math.max(-range, value)));
}

/** p(x_t-1 | x_t) as the model sees it. Parameters as `predictXstart`. */
export function stepDistribution(
  process: DiffusionProcess,
  index: number,
  x: Float32Array,
  output: Float32Array,
  clip: boolean,
): StepDistribution {
  const { tables, settings } = process;
  const pred_xstart = predictXstart(process, index, x, output, clip);
  const coef1 = f32(tables.posterior_mean_coef1[index]!);
  const coef2 = f32(tables.posterior_mean_coef2[index]!);
  const mean =
    settings.predict === 'previous_x'
      ? output.slice(0, x.length)
      : pred_xstart.map((x0, i) => f32(coef1 * x0) + f32(coef2 * x[i]!));
  return { mean, pred_xstart, ...stepVariance(process, index, output, x.length) };
}

function stepVariance(
  { tables, settings }: DiffusionProcess,
  index: number,
  output: Float32Array,
  length: number,
): Pick<StepDistribution, 'variance' | 'log_variance'> {
  const fixed = (variance: number, log: number) => ({
    variance: new Float32Array(length).fill(variance),
    log_variance: new Float32Array(length).fill(log),
  });
  const learned = (log_variance: Float32Array) => ({ variance: log_variance.map(Math.exp), log_variance });
  const beta = tables.betas[index]!;
  const smallLog = tables.posterior_log_variance_clipped[index]!;
  switch (settings.variance) {
    case 'learned':
      return learned(output.slice(length, 2 * length));
    case 'learned_range': {
      const [low, high] = [f32(smallLog), f32(Math.log(beta))];
      return learned(
        output.slice(length, 2 * length).map((value) => {
          const fraction = f32(f32(value + 1) / 2);
          return f32(fraction * high) + f32(f32(1 - fraction) * low);
        }),
      );
    }
    case 'fixed_small':
      return fixed(tables.posterior_variance[index]!, smallLog);
    case 'fixed_large': {
      // At index 0 the posterior variance of index 1: the original's choice for a better decoder likelihood.
      const large = index === 0 && settings.timestep_spacing === null ? tables.posterior_variance[1]! : beta;
      return fixed(large, Math.log(large));
    }
  }
}
