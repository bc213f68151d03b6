// A training batch as the inputs of a loss: images and noise as they are, and for each sample's timestep what the model is fed
// and what the loss takes from the tables of the process. Tables are float64 and rounded to float32 once they are read, as the
// original does it.

import { LOSS_COEFFICIENTS, type LossCoefficient } from '../loss-coefficients.ts';
import type { ModelInputs, PortValue } from '../model.ts';
import type { DiffusionProcess } from '../sampler/process.ts';
import type { Tensor } from '../tensor.ts';
import { DROPOUT_PORT, type DropoutDraw, dropoutWords } from './dropout.ts';

/** A batch of B samples. */
export interface TrainingBatch {
  /** [B, C, ...space], values in [-1, 1]. */
  readonly x_start: PortValue;
  /** Standard normal, as x_start. */
  readonly noise: PortValue;
  /** Whole numbers below the steps of the process, one a sample. */
  readonly timesteps: ArrayLike<number>;
  /** By which each sample's loss counts in the gradients; ones where not given. */
  readonly weights?: ArrayLike<number>;
  /** Labels of a class-conditional model, and small images of a super-resolution model. */
  readonly y?: PortValue;
  readonly low_res?: PortValue;
  /** What dropout's masks are drawn by; without it, and in models without dropout, nothing is dropped. */
  readonly dropout?: DropoutDraw | undefined;
}

/**
 * The inputs of the pass that computes a batch's loss and gradients. The process has all timesteps of training; `dropout` is
 * only given to a pass that draws it.
 */
export function lossInputs(process: DiffusionProcess, batch: TrainingBatch): ModelInputs {
  const { timesteps, weights, dropout, ...given } = batch;
  const list = Array.from(timesteps);
  return {
    ...given,
    ...(dropout ? { [DROPOUT_PORT]: dropoutWords(dropout, list.length) } : {}),
    timesteps: list.map((t) => process.model_timesteps[t]!),
    coefficients: lossCoefficients(process, list),
    weights: weights ?? list.map(() => 1),
  };
}

/** A row of `LOSS_COEFFICIENTS` for each timestep. */
export function lossCoefficients(process: DiffusionProcess, timesteps: readonly number[]): Tensor {
  const shape = [timesteps.length, LOSS_COEFFICIENTS.length];
  const rows = timesteps.map((t) => {
    const row = rowAt(process, t);
    return LOSS_COEFFICIENTS.map((name) => row[name]);
  });
  return { shape, data: Float32Array.from(rows.flat()) };
}

function rowAt({ tables, settings }: DiffusionProcess, t: number): Readonly<Record<LossCoefficient, number>> {
  const signal = tables.sqrt_alphas_cumprod[t]!;
  const noise = tables.sqrt_one_minus_alphas_cumprod[t]!;
  const ofXStart = tables.posterior_mean_coef1[t]!;
  const ofXt = tables.posterior_mean_coef2[t]!;
  const log_posterior = tables.posterior_log_variance_clipped[t]!;
  const velocity = settings.predict === 'v';
  const mean_per_error = {
    epsilon: ofXStart * tables.sqrt_recipm1_alphas_cumprod[t]!,
    x_start: -ofXStart,
    previous_x: -1,
    v: ofXStart * noise,
  }[settings.predict];
  const beta = tables.betas[t]!;
  const log_variance = {
    learned: 0,
    learned_range: Math.log(beta),
    fixed_small: log_posterior,
    // the first beta is that of a step which the posterior makes without noise
    fixed_large: Math.log(t === 0 ? tables.posterior_variance[1]! : beta),
  }[settings.variance];
  return {
    signal,
    noise,
    target_x_start: velocity ? -noise : ofXStart,
    target_other: velocity ? signal : ofXt,
    mean_per_error,
    log_posterior,
    log_variance,
    is_first: t === 0 ? 1 : 0,
  };
}

/** What is wrong with timesteps of training: whole numbers below the steps of the process are none. */
export function timestepFaults(timesteps: ArrayLike<number>, steps: number): readonly string[] {
  return Array.from(timesteps).flatMap((t, k) =>
    Number.isInteger(t) && t >= 0 && t < steps
      ? []
      : [`timesteps[${k}] is ${t}, expected a whole number from 0 to ${steps - 1}: a timestep of training`],
  );
}
