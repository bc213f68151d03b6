// What the model's output says about the step before: its guess at x_0 and the distribution p(x_t-1 | x_t).
//
//   epsilon    : x_0 = sqrt(1/a) x_t - sqrt(1/a - 1) output                            (a = alphas_cumprod)
//   x_start    : x_0 = output
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
 * @param clip clips the guess to [-1, 1], as the models are meant to be sampled; NaN stays NaN
 */
export function predictXstart(
  { tables, settings }: DiffusionProcess,
  index: number,
  x: Float32Array,
  output: Float32Array,
  clip: boolean,
): Float32Array {
  switch (settings.predict) {
    case 'epsilon': {
      const ofX = f32(tables.sqrt_recip_alphas_cumprod[index]!);
      const ofEpsilon = f32(tables.sqrt_recipm1_alphas_cumprod[index]!);
      return clipped(
        x.map((value, i) => f32(ofX * value) - f32(ofEpsilon * output[i]!)),
        clip,
      );
    }
    case 'x_start':
      return clipped(output.slice(0, x.length), clip);
    case 'previous_x': {
      const coef1 = tables.posterior_mean_coef1[index]!;
      const ofOutput = f32(1 / coef1);
      const ofX = f32(tables.posterior_mean_coef2[index]! / coef1);
      return clipped(
        x.map((value, i) => f32(ofOutput * output[i]!) - f32(ofX * value)),
        clip,
      );
    }
  }
}

function clipped(values: Float32Array, clip: boolean): Float32Array {
  return clip ? values.map((value) => Math.min(1, Math.max(-1, value))) : values;
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
      const large = index === 0 ? tables.posterior_variance[1]! : beta;
      return fixed(large, Math.log(large));
    }
  }
}
