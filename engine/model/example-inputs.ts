// Inputs for passes that are timed: noise, as a model meets at the beginning of sampling, and the same every time.

import type { ModelInputs, ModelInterface } from '../../runtime/model.ts';
import { INITIAL_STEP, normalNoise } from '../../runtime/sampler/noise.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';

/** The length of the process that timesteps are taken from. */
const STEPS = 1000;

/** Standard normal images, timesteps spread over the process, classes in turn. */
export function exampleInputs(model: ModelInterface): ModelInputs {
  const { batch, in_channels, image_size, num_classes, low_res_size } = model;
  const samples = Array.from({ length: batch }, (_, k) => k);
  return {
    x: noise([batch, in_channels, ...image_size], 1),
    timesteps: samples.map((k) => (STEPS * (k + 0.5)) / batch),
    ...(num_classes === null ? {} : { y: samples.map((k) => k % num_classes) }),
    ...(low_res_size === null ? {} : { low_res: noise([batch, in_channels, ...low_res_size], 2) }),
  };
}

function noise(shape: readonly number[], seed: number): Tensor {
  return { shape, data: normalNoise(seed, INITIAL_STEP, elements(shape)) };
}
