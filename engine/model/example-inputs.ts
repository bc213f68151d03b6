// Inputs for passes that are timed: noise, as a model meets at the beginning of sampling, and the same every time.

import type { ModelInputs, ModelInterface, PortValue } from '../../runtime/model.ts';
import type { InputSpec } from '../../runtime/ports.ts';
import { INITIAL_STEP, normalNoise } from '../../runtime/sampler/noise.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';

/** The length of the process that timesteps are taken from. */
const STEPS = 1000;

/** Standard normal images, each port's its own; timesteps spread over the process, classes in turn. */
export function exampleInputs({ inputs }: Pick<ModelInterface, 'inputs'>): ModelInputs {
  const images = inputs.filter(({ encoding }) => encoding === 'image');
  return Object.fromEntries(inputs.map((port) => [port.name, exampleValue(port, 1 + images.indexOf(port))]));
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
