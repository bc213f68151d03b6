// The noise schedules of the diffusion family and every table derived from them, in float64.
//
//   linear: beta from 0.0001 * 1000/T to 0.02 * 1000/T in T equal steps                      (Ho et al. 2020)
//   scaled_linear: the square root of beta from that of 0.0001 to that of 0.02      (Rombach et al. 2022; diffusers)
//   cosine: alpha_bar(t) = cos((t + 0.008) / 1.008 * pi/2)^2, beta_i = 1 - alpha_bar((i+1)/T) / alpha_bar(i/T),
//           at most 0.999                                                        (Nichol & Dhariwal 2021, eq. 17)
//   q(x_t | x_0)        = N(sqrt(alphas_cumprod) x_0, 1 - alphas_cumprod)
//   q(x_t-1 | x_t, x_0) = N(posterior_mean_coef1 x_0 + posterior_mean_coef2 x_t, posterior_variance)
//
// Names and order of operations are those of improved-diffusion's GaussianDiffusion.

import { RuntimeError } from '../errors.ts';
import { exactCosine } from './exact-cosine.ts';

export type NoiseSchedule = 'linear' | 'cosine' | 'scaled_linear';

/** First and last beta of a linear or scaled_linear schedule; null is the schedule's own. A cosine schedule has neither. */
export interface BetaRange {
  readonly beta_start: number | null;
  readonly beta_end: number | null;
}

/** Tables of one process, each of length T (its number of timesteps), index 0 the least noisy. */
export interface ScheduleTables {
  readonly betas: Float64Array;
  readonly alphas_cumprod: Float64Array;
  /** `alphas_cumprod` one timestep earlier; 1 at index 0. */
  readonly alphas_cumprod_prev: Float64Array;
  /** `alphas_cumprod` one timestep later; 0 at the last index. */
  readonly alphas_cumprod_next: Float64Array;
  readonly sqrt_alphas_cumprod: Float64Array;
  readonly sqrt_one_minus_alphas_cumprod: Float64Array;
  readonly log_one_minus_alphas_cumprod: Float64Array;
  readonly sqrt_recip_alphas_cumprod: Float64Array;
  readonly sqrt_recipm1_alphas_cumprod: Float64Array;
  /** 0 at index 0. */
  readonly posterior_variance: Float64Array;
  /** Its logarithm; index 0 repeats index 1, where the variance is not 0. */
  readonly posterior_log_variance_clipped: Float64Array;
  readonly posterior_mean_coef1: Float64Array;
  readonly posterior_mean_coef2: Float64Array;
}

/** The fewest timesteps of each schedule: linear needs its last beta, 20 / T, below 1. */
export const FEWEST_STEPS = {
  linear: 21,
  cosine: 2,
  scaled_linear: 2,
} as const satisfies Record<NoiseSchedule, number>;

/**
 * Betas of a whole training process.
 * @param steps T, the number of timesteps the model was trained with
 * @param range first and last beta, where they are not the schedule's own
 * @throws RuntimeError('input') where the schedule does not exist for so few steps
 */
export function scheduleBetas(
  schedule: NoiseSchedule,
  steps: number,
  range: BetaRange = { beta_start: null, beta_end: null },
): Float64Array {
  const fewest = range.beta_end === null ? FEWEST_STEPS[schedule] : 2;
  if (!Number.isSafeInteger(steps) || steps < fewest) {
    throw new RuntimeError(
      'input',
      `diffusion.steps: a ${schedule} schedule needs a whole number of at least ${fewest} steps, not ${steps}`,
    );
  }
  const { first, last } = betaEnds(schedule, steps, range);
  switch (schedule) {
    case 'linear':
      return evenly(first, last, steps);
    case 'scaled_linear':
      return evenly(Math.sqrt(first), Math.sqrt(last), steps).map((root) => root * root);
    case 'cosine':
      return cosineBetas(steps);
  }
}

/** First and last beta: those that are given, else the schedule's own for T steps. */
export function betaEnds(
  schedule: NoiseSchedule,
  steps: number,
  { beta_start, beta_end }: BetaRange,
): { readonly first: number; readonly last: number } {
  const scale = schedule === 'linear' ? 1000 / steps : 1;
  return { first: beta_start ?? scale * 0.0001, last: beta_end ?? scale * 0.02 };
}

/** `steps` numbers from the first to the last at equal distances. */
function evenly(first: number, last: number, steps: number): Float64Array {
  const stride = (last - first) / (steps - 1);
  return Float64Array.from({ length: steps }, (_, i) => (i === steps - 1 ? last : first + i * stride));
}

function cosineBetas(steps: number): Float64Array {
  const alphaBars = Array.from({ length: steps + 1 }, (_, i) => {
    const root = exactCosine((((i / steps + 0.008) / 1.008) * Math.PI) / 2);
    return root * root;
  });
  return Float64Array.from({ length: steps }, (_, i) =>
    Math.min(1 - alphaBars[i + 1]! / alphaBars[i]!, 0.999),
  );
}

/** Everything that sampling derives from the betas of a process of at least two timesteps. */
export function scheduleTables(betas: Float64Array): ScheduleTables {
  const cumulative = cumulativeAlphas(betas);
  return tablesOf(
    betas,
    cumulative,
    cumulative.map((_, i) => (i === 0 ? 1 : cumulative[i - 1]!)),
  );
}

/**
 * The tables of a process whose step at each index leads from `cumulative` to `previous`, both `alphas_cumprod`; the step
 * at index 0 may lead to 1, where no variance is left, or stop before it.
 */
export function tablesOf(
  betas: Float64Array,
  cumulative: Float64Array,
  previous: Float64Array,
): ScheduleTables {
  const table = (f: (i: number, beta: number, cum: number, prev: number) => number): Float64Array =>
    betas.map((beta, i) => f(i, beta, cumulative[i]!, previous[i]!));

  const posteriorVariance = table((_, beta, cum, prev) => (beta * (1 - prev)) / (1 - cum));
  return {
    betas,
    alphas_cumprod: cumulative,
    alphas_cumprod_prev: previous,
    alphas_cumprod_next: table((i) => cumulative[i + 1] ?? 0),
    sqrt_alphas_cumprod: table((_i, _beta, cum) => Math.sqrt(cum)),
    sqrt_one_minus_alphas_cumprod: table((_i, _beta, cum) => Math.sqrt(1 - cum)),
    log_one_minus_alphas_cumprod: table((_i, _beta, cum) => Math.log(1 - cum)),
    sqrt_recip_alphas_cumprod: table((_i, _beta, cum) => Math.sqrt(1 / cum)),
    sqrt_recipm1_alphas_cumprod: table((_i, _beta, cum) => Math.sqrt(1 / cum - 1)),
    posterior_variance: posteriorVariance,
    posterior_log_variance_clipped: table((i) => Math.log(posteriorVariance[Math.max(i, 1)]!)),
    posterior_mean_coef1: table((_, beta, cum, prev) => (beta * Math.sqrt(prev)) / (1 - cum)),
    posterior_mean_coef2: table((_, beta, cum, prev) => ((1 - prev) * Math.sqrt(1 - beta)) / (1 - cum)),
  };
}

/** Running product of 1 - beta. */
export function cumulativeAlphas(betas: Float64Array): Float64Array {
  let product = 1;
  return betas.map((beta) => (product *= 1 - beta));
}
