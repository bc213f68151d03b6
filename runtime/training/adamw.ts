// One update of AdamW and of the moving averages on the host, in float32 and in the order of PyTorch 1.13's arithmetic: what
// training without a GPU updates by, and what kernels are held to.
//
//   p *= 1 - lr wd;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g²
//   p -= lr / (1 - b1^n) · m / (√v / √(1 - b2^n) + eps)          n: updates, this one among them
//   e  = rate e + (1 - rate) p                                   for each moving average
//
// Source: torch/optim/adamw.py (_single_tensor_adamw) and improved-diffusion, nn.py (update_ema).

import { RATES_AT, STEP_NUMBERS, settingsLength } from '../step-settings.ts';

const BETA_1 = 0.9;
const BETA_2 = 0.999;
export const EPSILON = 1e-8;

/** No norm is larger: float32 has no larger numbers. */
const LARGEST = 2 ** 127;

/** What an update changes of one parameter, in place. */
export interface UpdatedTensors {
  readonly parameter: Float32Array;
  readonly exp_avg: Float32Array;
  readonly exp_avg_sq: Float32Array;
  /** A moving average for each rate. */
  readonly emas: readonly Float32Array[];
}

export interface UpdateSettings {
  /** Counts the updates from 1. */
  readonly update: number;
  readonly learning_rate: number;
  readonly weight_decay: number;
  readonly ema_rates: readonly number[];
  /** The largest norm of the gradients: larger ones are scaled down to it. Not given: as large as they are. */
  readonly max_grad_norm?: number | undefined;
  /** What the loss was multiplied by before its gradients were computed. Default 1. */
  readonly loss_scale?: number | undefined;
}

/** The numbers of an update that depend on its count, made in float64 as PyTorch makes them. */
export interface UpdateScales {
  /** What the parameter is multiplied by before all else. */
  readonly decay: number;
  readonly step_size: number;
  /** √(1 - b2^n). */
  readonly root_correction: number;
}

export function updateScales({ update, learning_rate, weight_decay }: UpdateSettings): UpdateScales {
  return {
    decay: 1 - learning_rate * weight_decay,
    step_size: learning_rate / (1 - BETA_1 ** update),
    root_correction: Math.sqrt(1 - BETA_2 ** update),
  };
}

/** The numbers of an update as kernels take them (`STEP_NUMBERS`, then the rates of moving averages). */
export function stepSettings(settings: UpdateSettings): Float32Array {
  const { decay, step_size, root_correction } = updateScales(settings);
  const numbers: Readonly<Record<(typeof STEP_NUMBERS)[number], number>> = {
    decay,
    beta1: BETA_1,
    beta1_rest: 1 - BETA_1,
    beta2: BETA_2,
    beta2_rest: 1 - BETA_2,
    root_correction,
    epsilon: EPSILON,
    step_size,
    unscale: 1 / (settings.loss_scale ?? 1),
    largest_norm: settings.max_grad_norm ?? LARGEST,
  };
  const rates = settings.ema_rates.flatMap((rate) => [rate, 1 - rate]);
  const list = new Float32Array(settingsLength(settings.ema_rates.length));
  list.set(STEP_NUMBERS.map((name) => numbers[name]));
  list.set(rates, RATES_AT);
  return list;
}

/**
 * What gradients are multiplied by before they change parameters, by the sum of their squares, as
 * `torch.nn.utils.clip_grad_norm_` has it; null where they overflowed, and nothing is to change.
 */
export function gradientScale(
  squares: number,
  { max_grad_norm = LARGEST, loss_scale = 1 }: Pick<UpdateSettings, 'max_grad_norm' | 'loss_scale'>,
): number | null {
  if (!Number.isFinite(squares)) return null;
  const norm = Math.sqrt(squares) / loss_scale;
  return (norm > max_grad_norm ? max_grad_norm / (norm + 1e-6) : 1) / loss_scale;
}

/** Updates one parameter by its gradient, times `factor` (`gradientScale`). */
export function adamwUpdate(
  { parameter, exp_avg, exp_avg_sq, emas }: UpdatedTensors,
  gradient: ArrayLike<number>,
  settings: UpdateSettings,
  factor = 1,
): void {
  const f = Math.fround;
  const scale = f(factor);
  const scales = updateScales(settings);
  const [decay, step, root] = [f(scales.decay), f(scales.step_size), f(scales.root_correction)];
  const [beta1, rest1, beta2, rest2] = [f(BETA_1), f(1 - BETA_1), f(BETA_2), f(1 - BETA_2)];
  const epsilon = f(EPSILON);
  for (let i = 0; i < parameter.length; i++) {
    const g = f(scale * f(gradient[i]!));
    const m = f(f(beta1 * exp_avg[i]!) + f(rest1 * g));
    const v = f(f(beta2 * exp_avg_sq[i]!) + f(rest2 * f(g * g)));
    const denominator = f(f(f(Math.sqrt(v)) / root) + epsilon);
    exp_avg[i] = m;
    exp_avg_sq[i] = v;
    parameter[i] = f(f(decay * parameter[i]!) - f(step * f(m / denominator)));
  }
  settings.ema_rates.forEach((rate, k) => {
    const ema = emas[k]!;
    const [kept, rest] = [f(rate), f(1 - rate)];
    for (let i = 0; i < parameter.length; i++) ema[i] = f(f(kept * ema[i]!) + f(rest * parameter[i]!));
  });
}
