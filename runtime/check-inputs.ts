// Checks the inputs of a run against what the model takes, before anything runs.

import { RuntimeError } from './errors.ts';
import type { ModelInputs, ModelInterface } from './model.ts';
import { elements, type Tensor } from './tensor.ts';

/** Throws RuntimeError('input') that lists every input that is missing, superfluous or does not fit. */
export function checkInputs(inputs: ModelInputs, model: ModelInterface, xShape: readonly number[]): void {
  const faults: string[] = [];
  checkTensor('x', inputs.x, xShape, faults);
  checkVector('timesteps', inputs.timesteps, model.batch, faults);
  for (let i = 0; i < inputs.timesteps.length; i++) {
    if (!Number.isFinite(inputs.timesteps[i])) faults.push(`timesteps[${i}] is ${inputs.timesteps[i]}`);
  }
  if (model.num_classes === null) {
    if (inputs.y) faults.push('y is given, but the model has no classes; leave it out');
  } else if (!inputs.y) {
    faults.push(
      `y is missing: the model has ${model.num_classes} classes, give a label for each of ${model.batch} samples`,
    );
  } else {
    checkVector('y', inputs.y, model.batch, faults);
    for (let i = 0; i < inputs.y.length; i++) {
      const label = inputs.y[i]!;
      const fits = Number.isInteger(label) && label >= 0 && label < model.num_classes;
      if (!fits) faults.push(`y[${i}] is ${label}, expected a label from 0 to ${model.num_classes - 1}`);
    }
  }
  if (model.low_res_size === null) {
    if (inputs.low_res) faults.push('low_res is given, but the model has no super_resolution; leave it out');
  } else {
    const shape = [model.batch, model.in_channels, ...model.low_res_size];
    if (inputs.low_res) checkTensor('low_res', inputs.low_res, shape, faults);
    else faults.push(`low_res is missing: the model upsamples images of shape [${shape.join(', ')}]`);
  }
  if (faults.length > 0) throw new RuntimeError('input', faults.join('\n'));
}

function checkTensor(
  name: string,
  { shape, data }: Tensor,
  expected: readonly number[],
  faults: string[],
): void {
  if (shape.length !== expected.length || shape.some((n, i) => n !== expected[i])) {
    faults.push(
      `${name} has shape [${shape.join(', ')}], expected [${expected.join(', ')}] (batch and size are compiled in)`,
    );
  } else if (data.length !== elements(shape)) {
    faults.push(`${name} has ${data.length} values for shape [${shape.join(', ')}]`);
  }
}

function checkVector(name: string, values: ArrayLike<number>, length: number, faults: string[]): void {
  if (values.length !== length)
    faults.push(`${name} has ${values.length} values, expected ${length}, one a sample`);
}
