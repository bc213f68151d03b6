// The variational bound of an image under a model, one term for each step of the process, in bits per element: how many bits
// a code built on the model would take.
//
//   L_t = KL(q(x_t-1 | x_t, x_0) || p(x_t-1 | x_t))        L_0 = -log p(x_0 | x_1)        prior = KL(q(x_T | x_0) || N(0, 1))
//
//   KL of two normal distributions:  ½ (-1 + l₂ - l₁ + e^(l₁ - l₂) + (m₁ - m₂)² e^-l₂),  l the logarithms of variances
//   p(x_0 | x_1): the mass of N(m, s²) on the bin [x - 1/255, x + 1/255], the outermost bins open to their sides, by the
//   approximate distribution function F(u) = ½ (1 + tanh(√(2/π) (u + 0.044715 u³))) = σ(2 √(2/π) (u + 0.044715 u³))
//
// p is what a sampler would use, in float32 and in the original's order (distribution.ts); from it on all is float64. The
// mass of a bin is a product of sigmoids where the original subtracts two that may be equal to the last bit.
// Source: Nichol & Dhariwal 2021; improved-diffusion, gaussian_diffusion.py (calc_bpd_loop, _vb_terms_bpd, _prior_bpd).

import { epsilonFromXstart, stepDistribution } from '../sampler/distribution.ts';
import type { DiffusionProcess } from '../sampler/process.ts';

const f32 = Math.fround;

/** Half of the width of one of 256 levels over [-1, 1]. */
const HALF_BIN = 1 / 255;
/** Beyond it a value is in the outermost bin, which is open. */
const OUTERMOST = 0.999;
/** The least probability whose logarithm is taken. */
const LEAST = 1e-12;

/** What a model says of an image at one step. */
export interface BoundTerm {
  /** The term of the bound, in bits per element. */
  readonly vb: number;
  /** Mean squared error of the guess at x_0. */
  readonly xstart_mse: number;
  /** Mean squared error of the noise that the guess at x_0 leaves in x_t. */
  readonly mse: number;
}

/** x_t of an image: sqrt(a) x_start + sqrt(1 - a) noise, each [C, ...space], in float32 as the model is given it. */
export function noisyImage(
  { tables }: DiffusionProcess,
  index: number,
  x_start: Float32Array,
  noise: Float32Array,
): Float32Array {
  const signal = f32(tables.sqrt_alphas_cumprod[index]!);
  const scale = f32(tables.sqrt_one_minus_alphas_cumprod[index]!);
  return x_start.map((x0, i) => f32(signal * x0) + f32(scale * noise[i]!));
}

/**
 * The term of an index of the process.
 * @param x_t of `noisyImage`
 * @param output the model's output for x_t
 * @param clip clips the guess at x_0 to the range of the settings, as the original evaluates models
 */
export function boundTerm(
  process: DiffusionProcess,
  index: number,
  given: { readonly x_start: Float32Array; readonly noise: Float32Array; readonly x_t: Float32Array },
  output: Float32Array,
  clip: boolean,
): BoundTerm {
  const { x_start, noise, x_t } = given;
  const p = stepDistribution(process, index, x_t, output, clip);
  const epsilon = epsilonFromXstart(process, index, x_t, p.pred_xstart);
  const bits =
    index === 0
      ? meanOf(x_start, (x0, i) => -logMass(x0, p.mean[i]!, p.log_variance[i]!))
      : divergence(process, index, given, p);
  return {
    vb: bits / Math.LN2,
    xstart_mse: meanOf(x_start, (x0, i) => (p.pred_xstart[i]! - x0) ** 2),
    mse: meanOf(noise, (value, i) => (epsilon[i]! - value) ** 2),
  };
}

/** The term that no model has a part in: what is left of the image where the process begins, in bits per element. */
export function priorBound({ tables }: DiffusionProcess, x_start: Float32Array): number {
  const last = tables.alphas_cumprod.length - 1;
  const signal = tables.sqrt_alphas_cumprod[last]!;
  const log_variance = tables.log_one_minus_alphas_cumprod[last]!;
  return meanOf(x_start, (x0) => normalKl(signal * x0, log_variance, 0, 0)) / Math.LN2;
}

function divergence(
  { tables }: DiffusionProcess,
  index: number,
  { x_start, x_t }: { readonly x_start: Float32Array; readonly x_t: Float32Array },
  { mean, log_variance }: { readonly mean: Float32Array; readonly log_variance: Float32Array },
): number {
  const ofXstart = tables.posterior_mean_coef1[index]!;
  const ofXt = tables.posterior_mean_coef2[index]!;
  const posterior = tables.posterior_log_variance_clipped[index]!;
  return meanOf(x_start, (x0, i) =>
    normalKl(ofXstart * x0 + ofXt * x_t[i]!, posterior, mean[i]!, log_variance[i]!),
  );
}

function normalKl(mean1: number, log1: number, mean2: number, log2: number): number {
  return 0.5 * (-1 + log2 - log1 + Math.exp(log1 - log2) + (mean1 - mean2) ** 2 * Math.exp(-log2));
}

/** The logarithm of a bin's mass under a normal distribution. */
function logMass(x: number, mean: number, log_variance: number): number {
  const scale = Math.exp(-0.5 * log_variance);
  const above = logit(scale * (x - mean + HALF_BIN));
  const below = logit(scale * (x - mean - HALF_BIN));
  if (x < -OUTERMOST) return Math.log(Math.max(sigmoid(above), LEAST));
  if (x > OUTERMOST) return Math.log(Math.max(sigmoid(-below), LEAST));
  // σ(a) - σ(b) = σ(a) σ(-b) (1 - e^(b - a))
  return Math.log(Math.max(sigmoid(above) * sigmoid(-below) * -Math.expm1(below - above), LEAST));
}

function logit(u: number): number {
  return 2 * Math.sqrt(2 / Math.PI) * (u + 0.044715 * u ** 3);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function meanOf(values: Float32Array, term: (value: number, i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += term(values[i]!, i);
  return sum / values.length;
}
