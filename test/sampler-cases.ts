// The golden sampler cases: five diffusion settings of the original code, with the settings in this project's words.

import {
  DIFFUSION_DEFAULTS,
  type DiffusionSettings,
  type Prediction,
  type Variance,
} from '../runtime/sampler/process.ts';
import type { NoiseSchedule } from '../runtime/sampler/schedule.ts';
import type { GoldenModel } from './golden-model.ts';
import { type GoldenTensors, goldenJson, goldenTensors } from './golden-tensors.ts';

export interface SamplerCase extends GoldenModel {
  readonly name: string;
  readonly shape: readonly number[];
  readonly settings: DiffusionSettings;
  readonly respacing: string;
  /** The indices of the process whose steps are in the file. */
  readonly indices: readonly number[];
  readonly tensors: GoldenTensors;
}

interface CaseJson extends GoldenModel {
  readonly shape: readonly number[];
  readonly diffusion: {
    readonly steps: number;
    readonly schedule: NoiseSchedule;
    readonly respacing: string;
    readonly model_mean: 'EPSILON' | 'START_X' | 'PREVIOUS_X';
    readonly model_var: Uppercase<Variance>;
    readonly rescale_timesteps: boolean;
  };
  readonly indices: readonly number[];
}

const PREDICTIONS: Record<CaseJson['diffusion']['model_mean'], Prediction> = {
  EPSILON: 'epsilon',
  START_X: 'x_start',
  PREVIOUS_X: 'previous_x',
};

export const SAMPLER_CASES: readonly SamplerCase[] = [
  'cosine-learned-range',
  'cosine-learned-range-25',
  'linear-fixed-large-xstart',
  'linear-fixed-small-ddim10',
  'linear-learned-prev-x',
].map((name) => {
  const { kwargs, weights, shape, diffusion, indices } = goldenJson<CaseJson>(`sampler/${name}/case.json`);
  return {
    name,
    kwargs,
    weights,
    shape,
    indices,
    respacing: diffusion.respacing,
    settings: {
      ...DIFFUSION_DEFAULTS,
      steps: diffusion.steps,
      noise_schedule: diffusion.schedule,
      predict: PREDICTIONS[diffusion.model_mean],
      variance: diffusion.model_var.toLowerCase() as Variance,
      rescale_timesteps: diffusion.rescale_timesteps,
    },
    tensors: goldenTensors(`sampler/${name}/expected.safetensors`),
  };
});
