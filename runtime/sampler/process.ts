// The diffusion process that a sampler walks: settings, respaced tables, and what the model is fed at each index.

import { respaceBetas, spaceTimesteps } from './respacing.ts';
import type { NoiseSchedule, ScheduleTables } from './schedule.ts';
import { scheduleBetas, scheduleTables } from './schedule.ts';

/** What the model's output means: the noise, the clean image, or the mean of the previous x. */
export type Prediction = 'epsilon' | 'x_start' | 'previous_x';

/**
 * Where the variance of a step comes from. `learned`: the second half of the output channels is its logarithm.
 * `learned_range`: it blends, from -1 to 1, between the logarithms of the posterior variance and of beta.
 * `fixed_small`: the posterior variance. `fixed_large`: beta.
 */
export type Variance = 'learned_range' | 'learned' | 'fixed_small' | 'fixed_large';

/** How the model was trained: the `diffusion` part of a graph, resolved. */
export interface DiffusionSettings {
  /** T, the timesteps of the training process. */
  readonly steps: number;
  readonly noise_schedule: NoiseSchedule;
  readonly predict: Prediction;
  readonly variance: Variance;
  /** Whether the model was fed t * 1000 / T instead of t. */
  readonly rescale_timesteps: boolean;
}

/** A process of `timestep_map.length` indices; index 0 is the last that a sampler visits. */
export interface DiffusionProcess {
  readonly settings: DiffusionSettings;
  readonly tables: ScheduleTables;
  /** The training process's timestep of each index. */
  readonly timestep_map: readonly number[];
  /** The timestep that the model is fed at each index, a float32 value, fractional where rescaled. */
  readonly model_timesteps: readonly number[];
}

/** Whether the second half of the model's output channels carries the variance. */
export function learnsVariance(variance: Variance): boolean {
  return variance === 'learned_range' || variance === 'learned';
}

/**
 * Builds the process that samples `settings` at the timesteps of `respacing` (respacing.ts has its syntax).
 * @throws RuntimeError('input') where steps or respacing do not work
 */
export function diffusionProcess(settings: DiffusionSettings, respacing = ''): DiffusionProcess {
  const betas = scheduleBetas(settings.noise_schedule, settings.steps);
  const timesteps = spaceTimesteps(settings.steps, respacing);
  const scale = settings.rescale_timesteps ? Math.fround(1000 / settings.steps) : 1;
  return {
    settings,
    tables: scheduleTables(respaceBetas(betas, timesteps)),
    timestep_map: timesteps,
    model_timesteps: timesteps.map((t) => Math.fround(t * scale)),
  };
}
