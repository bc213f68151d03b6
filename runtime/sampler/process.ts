// The diffusion process that a sampler walks: settings, respaced tables, and what the model is fed at each index.

import { RuntimeError } from '../errors.ts';
import { respaceBetas, spaceTimesteps } from './respacing.ts';
import type { BetaRange, NoiseSchedule, ScheduleTables } from './schedule.ts';
import { scheduleBetas, scheduleTables, tablesOf } from './schedule.ts';
import {
  float32AlphasCumprod,
  type SpacedTimesteps,
  spacedTimesteps,
  type TimestepSpacing,
} from './spacing.ts';

/**
 * What the model's output means: the noise, the clean image, the mean of the previous x, or the velocity
 * sqrt(a) noise - sqrt(1 - a) x_0 (Salimans & Ho 2022).
 */
export type Prediction = 'epsilon' | 'x_start' | 'previous_x' | 'v';

/**
 * Where the variance of a step comes from. `learned`: the second half of the output channels is its logarithm.
 * `learned_range`: it blends, from -1 to 1, between the logarithms of the posterior variance and of beta.
 * `fixed_small`: the posterior variance. `fixed_large`: beta.
 */
export type Variance = 'learned_range' | 'learned' | 'fixed_small' | 'fixed_large';

/** How the model was trained: the `diffusion` part of a graph, resolved. */
export interface DiffusionSettings extends BetaRange {
  /** T, the timesteps of the training process. */
  readonly steps: number;
  readonly noise_schedule: NoiseSchedule;
  readonly predict: Prediction;
  readonly variance: Variance;
  /** Whether the model was fed t * 1000 / T instead of t. */
  readonly rescale_timesteps: boolean;
  /**
   * How timesteps are spread by diffusers' schedulers, whose conventions the process then has (spacing.ts); null for
   * those of improved-diffusion.
   */
  readonly timestep_spacing: TimestepSpacing | null;
  /** Added to the timesteps of the spacing `leading`. */
  readonly steps_offset: number;
  /** Whether DDIM's last step leads to alphas_cumprod 1, or to that of timestep 0. */
  readonly set_alpha_to_one: boolean;
  /** Guesses at x_0 are clipped to [-clip_range, clip_range]; null: never. */
  readonly clip_range: number | null;
}

/** What a graph that says nothing of them means. */
export const DIFFUSION_DEFAULTS = {
  beta_start: null,
  beta_end: null,
  timestep_spacing: null,
  steps_offset: 0,
  set_alpha_to_one: true,
  clip_range: 1,
} as const satisfies Partial<DiffusionSettings>;

/** Settings of which those that have a default may be left out. */
export type DiffusionOptions = Omit<DiffusionSettings, keyof typeof DIFFUSION_DEFAULTS> &
  Partial<Pick<DiffusionSettings, keyof typeof DIFFUSION_DEFAULTS>>;

/** A process of `timestep_map.length` indices; index 0 is the last that a sampler visits. */
export interface DiffusionProcess {
  readonly settings: DiffusionSettings;
  readonly tables: ScheduleTables;
  /** The training process's timestep of each index. */
  readonly timestep_map: readonly number[];
  /** The timestep that the model is fed at each index, a float32 value, fractional where rescaled. */
  readonly model_timesteps: readonly number[];
  /** `alphas_cumprod` that DDIM's step at each index leads to: `alphas_cumprod_prev` but for the last step. */
  readonly ddim_alphas_cumprod_prev: Float64Array;
}

/** Whether the second half of the model's output channels carries the variance. */
export function learnsVariance(variance: Variance): boolean {
  return variance === 'learned_range' || variance === 'learned';
}

/**
 * Builds the process that samples a model of these settings at the timesteps of `respacing` (respacing.ts has its syntax). With a
 * `timestep_spacing` a plain count is spread by it.
 * @throws RuntimeError('input') where steps or respacing do not work
 */
export function diffusionProcess(options: DiffusionOptions, respacing = ''): DiffusionProcess {
  if (typeof respacing !== 'string') {
    throw new RuntimeError('input', `steps: found ${respacing}, expected a text, such as '50' or 'ddim50'`);
  }
  const settings: DiffusionSettings = { ...DIFFUSION_DEFAULTS, ...options };
  const { steps, noise_schedule, timestep_spacing, rescale_timesteps } = settings;
  const scale = rescale_timesteps ? Math.fround(1000 / steps) : 1;
  const fed = (timesteps: readonly number[]) => timesteps.map((t) => Math.fround(t * scale));
  if (timestep_spacing !== null) {
    const spaced = timestepsOf(settings, timestep_spacing, respacing);
    return {
      settings,
      ...spacedTables(settings, spaced),
      timestep_map: spaced.timesteps,
      model_timesteps: fed(spaced.timesteps),
    };
  }
  const betas = scheduleBetas(noise_schedule, steps, settings);
  const timesteps = spaceTimesteps(steps, respacing);
  const tables = scheduleTables(respaceBetas(betas, timesteps));
  return {
    settings,
    tables,
    timestep_map: timesteps,
    model_timesteps: fed(timesteps),
    ddim_alphas_cumprod_prev: ending(tables, settings.set_alpha_to_one ? 1 : 1 - betas[0]!),
  };
}

/** Where steps lead, with another end than the image. */
function ending({ alphas_cumprod_prev }: ScheduleTables, final: number): Float64Array {
  return alphas_cumprod_prev.map((a) => (a === 1 ? final : a));
}

/** A plain count is spread by the spacing; other words of a respacing lead from each timestep that they keep to the next. */
function timestepsOf(
  { steps, steps_offset }: DiffusionSettings,
  spacing: TimestepSpacing,
  respacing: string,
): SpacedTimesteps {
  if (/^\d+$/.test(respacing)) return spacedTimesteps(steps, Number(respacing), spacing, steps_offset);
  const timesteps = spaceTimesteps(steps, respacing);
  return { timesteps, previous: [-1, ...timesteps.slice(0, -1)] };
}

/** The least variance of a step, whose logarithm diffusers takes. */
const LEAST_VARIANCE = 1e-20;

function spacedTables(
  settings: DiffusionSettings,
  { timesteps, previous }: SpacedTimesteps,
): Pick<DiffusionProcess, 'tables' | 'ddim_alphas_cumprod_prev'> {
  const whole = float32AlphasCumprod(settings.noise_schedule, settings.steps, settings);
  const here = Float64Array.from(timesteps, (t) => whole[t]!);
  const before = Float64Array.from(previous, (t) => (t < 0 ? 1 : whole[t]!));
  const betas = here.map((a, i) => 1 - a / before[i]!);
  const tables = tablesOf(betas, here, before);
  const logs = tables.posterior_variance.map((variance) => Math.log(Math.max(variance, LEAST_VARIANCE)));
  return {
    tables: { ...tables, posterior_log_variance_clipped: logs },
    ddim_alphas_cumprod_prev: ending(tables, settings.set_alpha_to_one ? 1 : whole[0]!),
  };
}

/**
 * Whether an ancestral step draws noise: in the original all but the last, at index 0; in diffusers all but that of
 * timestep 0, which a process may do without.
 */
export function leavesNoise({ settings, timestep_map }: DiffusionProcess, index: number): boolean {
  return settings.timestep_spacing === null ? index > 0 : timestep_map[index]! > 0;
}
