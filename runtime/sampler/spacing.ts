// Which timesteps a process of diffusers' schedulers visits, where its steps lead, and its tables: the conventions of
// diffusers' DDPMScheduler and DDIMScheduler, which differ from improved-diffusion's (respacing.ts).
//
//   leading   t = i floor(T / N) + steps_offset
//   trailing  t = round(T - i T / N) - 1, from T downwards
//   linspace  t = round(i (T - 1) / (N - 1))
//
// A step leads from t to t - floor(T / N), whichever timestep comes next, and to alphas_cumprod 1 below 0. Betas are
// float32, as torch.linspace and torch.cumprod make them on processors with vectors of eight lanes, so that
// `alphas_cumprod` has diffusers' own bits.
// Source: huggingface/diffusers, scheduling_ddpm.py and scheduling_ddim.py (set_timesteps, previous_timestep).

import { RuntimeError } from '../errors.ts';
import { roundHalfEven } from './respacing.ts';
import { type BetaRange, betaEnds, type NoiseSchedule, scheduleBetas } from './schedule.ts';

const f32 = Math.fround;

/** How diffusers' schedulers spread N timesteps over the T of training. */
export type TimestepSpacing = 'leading' | 'trailing' | 'linspace';

/** Timesteps of a process in ascending order, and where the step at each of them leads; below 0 stands for the image. */
export interface SpacedTimesteps {
  readonly timesteps: readonly number[];
  readonly previous: readonly number[];
}

/**
 * The timesteps of a process of `count` steps.
 * @param steps T of the training process
 * @param offset added to the timesteps of `leading`
 * @throws RuntimeError('input') for counts that cannot be had
 */
export function spacedTimesteps(
  steps: number,
  count: number,
  spacing: TimestepSpacing,
  offset: number,
): SpacedTimesteps {
  if (count < 2 || count > steps) {
    throw new RuntimeError('input', `steps: "${count}" of ${steps} timesteps; use 2 to ${steps}`);
  }
  const ratio = Math.floor(steps / count);
  const timesteps = SPACINGS[spacing](steps, count, offset);
  const last = timesteps.at(-1)!;
  if (last >= steps) {
    throw new RuntimeError(
      'input',
      `steps: "${count}" with steps_offset ${offset} would begin at timestep ${last} of ${steps}; use fewer steps`,
    );
  }
  return { timesteps, previous: timesteps.map((t) => t - ratio) };
}

const SPACINGS = {
  leading: (steps, count, offset) => indices(count).map((i) => i * Math.floor(steps / count) + offset),
  trailing: (steps, count) => {
    // numpy's arange adds multiples of the rounded distance of its first two elements
    const stride = steps - steps / count - steps;
    return indices(count)
      .map((i) => roundHalfEven(steps + i * stride) - 1)
      .reverse();
  },
  linspace: (steps, count) => {
    const stride = (steps - 1) / (count - 1);
    return indices(count).map((i) => (i === count - 1 ? steps - 1 : roundHalfEven(i * stride)));
  },
} as const satisfies Record<
  TimestepSpacing,
  (steps: number, count: number, offset: number) => readonly number[]
>;

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** `alphas_cumprod` of the training process in float32: products are summed up in float64 and each is rounded. */
export function float32AlphasCumprod(schedule: NoiseSchedule, steps: number, range: BetaRange): Float64Array {
  let product = 1;
  return float32Betas(schedule, steps, range).map((beta) => {
    product *= f32(1 - beta);
    return f32(product);
  });
}

function float32Betas(schedule: NoiseSchedule, steps: number, range: BetaRange): Float64Array {
  const exact = scheduleBetas(schedule, steps, range);
  const { first, last } = betaEnds(schedule, steps, range);
  switch (schedule) {
    case 'linear':
      return float32Evenly(first, last, steps);
    case 'scaled_linear':
      return float32Evenly(Math.sqrt(first), Math.sqrt(last), steps).map((root) => f32(root * root));
    case 'cosine':
      return exact.map(f32);
  }
}

/** Lanes of the vectors that torch.linspace is computed in. */
const LANES = 8;

/**
 * torch.linspace in float32: whole vectors begin at a multiple of the stride from the nearer end and go on from there;
 * what is left behind the last whole vector is computed by itself.
 */
function float32Evenly(from: number, to: number, steps: number): Float64Array {
  const [first, last] = [f32(from), f32(to)];
  const stride = f32(f32(last - first) / (steps - 1));
  const alone = (i: number) =>
    i < Math.floor(steps / 2) ? f32(first + f32(stride * i)) : f32(last - f32(stride * (steps - i - 1)));
  return Float64Array.from({ length: steps }, (_, i) => {
    const lane = i % LANES;
    return i - lane + LANES <= steps ? f32(alone(i - lane) + f32(lane * stride)) : alone(i);
  });
}
