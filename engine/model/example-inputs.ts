// Inputs for passes that are timed: noise, as a model meets at the beginning of sampling, and the same every time.

import type { Manifest } from '../../runtime/bundle.ts';
import type { ModelInputs, ModelInterface, PortValue } from '../../runtime/model.ts';
import { type InputSpec, specOf } from '../../runtime/ports.ts';
import { INITIAL_STEP, normalNoise } from '../../runtime/sampler/noise.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import { RATES_AT } from '../../runtime/step-settings.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';
import { stepSettings } from '../../runtime/training/adamw.ts';
import { lossInputs } from '../../runtime/training/loss-inputs.ts';

/** The length of the process that timesteps are taken from. */
const STEPS = 1000;

/** Standard normal images, each port's its own; timesteps spread over the process, classes in turn. */
export function exampleInputs({ inputs }: Pick<ModelInterface, 'inputs'>): ModelInputs {
  const images = inputs.filter(({ encoding }) => encoding === 'image');
  return Object.fromEntries(inputs.map((port) => [port.name, exampleValue(port, 1 + images.indexOf(port))]));
}

/**
 * The same of all passes of a bundle: in training coefficients are those of its process and steps are AdamW's first ones, so
 * that gradients stay finite and parameters change.
 */
export function exampleInputsOf({ inputs, diffusion, batch }: Manifest): ModelInputs {
  const given = exampleInputs({ inputs: inputs.map(specOf) });
  const settings = inputs.find(({ name }) => name === 'step_settings');
  if (!('coefficients' in given)) return given;
  const process = diffusionProcess(diffusion);
  const { length } = process.model_timesteps;
  const timesteps = Array.from({ length: batch }, (_, k) => Math.floor((length * (k + 0.5)) / batch));
  return {
    ...given,
    ...lossInputs(process, { x_start: given.x_start!, noise: given.noise!, timesteps }),
    ...(settings === undefined ? {} : { step_settings: exampleSettings(settings.shape) }),
  };
}

function exampleSettings(shape: readonly number[]): Tensor {
  const averages = (elements(shape) - RATES_AT) / 2;
  const ema_rates = Array.from({ length: averages }, () => 0.9999);
  const data = stepSettings({ update: 1, learning_rate: 1e-4, weight_decay: 0, ema_rates });
  return { shape, data };
}

function exampleValue(port: InputSpec, seed: number): PortValue {
  const { encoding, shape, dtype } = port;
  const numbers = Array.from({ length: elements(shape) }, (_, k) => k);
  switch (encoding) {
    case 'image':
      return noise(shape, seed);
    case 'timestep':
      return numbers.map((k) => (STEPS * (k + 0.5)) / numbers.length);
    case 'label':
      return numbers.map((k) => k % port.classes);
    case 'plain':
      return dtype === 'u32' ? numbers : noise(shape, seed);
  }
}

function noise(shape: readonly number[], seed: number): Tensor {
  return { shape, data: normalNoise(seed, INITIAL_STEP, elements(shape)) };
}
