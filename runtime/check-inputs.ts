// Checks the inputs of a run against what the model takes, before anything runs.

import { RuntimeError } from './errors.ts';
import type { ModelInputs, ModelInterface } from './model.ts';
import { elements, type Tensor } from './tensor.ts';

/** Faults of one kind that are written out; the rest is counted. */
const LISTED = 4;

/** Throws RuntimeError('input') that lists every input that is missing, superfluous or does not fit. */
export function checkInputs(
  inputs: ModelInputs,
  model: ModelInterface,
  xShape: readonly number[] = [model.batch, model.in_channels, ...model.image_size],
): void {
  const faults = findInputFaults(inputs, model, xShape);
  if (faults.length > 0) throw new RuntimeError('input', faults.join('\n'));
}

/** Every fault of the inputs, one a line, each naming its tensor and what to do; none where they fit the model. */
export function findInputFaults(
  inputs: Partial<ModelInputs>,
  model: ModelInterface,
  xShape: readonly number[],
): readonly string[] {
  return [
    ...tensorFaults('x', inputs.x, xShape),
    ...timestepFaults(inputs.timesteps, model),
    ...labelFaults(inputs.y, model),
    ...lowResFaults(inputs.low_res, model),
  ];
}

function timestepFaults(timesteps: ModelInputs['timesteps'] | undefined, model: ModelInterface): string[] {
  if (!isList(timesteps)) return [`timesteps is missing: give ${model.batch}, one a sample`];
  return [
    ...lengthFaults('timesteps', timesteps, model.batch),
    ...elementFaults('timesteps', timesteps, Number.isFinite, 'a finite number'),
  ];
}

function labelFaults(y: ModelInputs['y'], { num_classes, batch }: ModelInterface): string[] {
  if (num_classes === null)
    return isGiven(y) ? ['y is given, but the model has no classes; leave it out'] : [];
  if (!isList(y)) {
    return [`y is missing: the model has ${num_classes} classes, give a label for each of ${batch} samples`];
  }
  const isLabel = (label: number) => Number.isInteger(label) && label >= 0 && label < num_classes;
  return [
    ...lengthFaults('y', y, batch),
    ...elementFaults('y', y, isLabel, `a label from 0 to ${num_classes - 1}`),
  ];
}

function lowResFaults(low: ModelInputs['low_res'], model: ModelInterface): string[] {
  if (model.low_res_size !== null) {
    return tensorFaults('low_res', low, [model.batch, model.in_channels, ...model.low_res_size]);
  }
  return isGiven(low) ? ['low_res is given, but the model has no super_resolution; leave it out'] : [];
}

function tensorFaults(name: string, tensor: Tensor | undefined, expected: readonly number[]): string[] {
  const wanted = `[${expected.join(', ')}]`;
  if (!isGiven(tensor)) return [`${name} is missing: the model takes ${wanted}`];
  const { shape, data } = tensor;
  // Callers in JavaScript have no compiler to tell them.
  if (!Array.isArray(shape) || !(data instanceof Float32Array)) {
    return [`${name} is no tensor; give { shape, data }, the shape ${wanted} and the data a Float32Array`];
  }
  if (shape.length !== expected.length || shape.some((n, i) => n !== expected[i])) {
    return [`${name} has shape [${shape.join(', ')}], expected ${wanted} (batch and size are compiled in)`];
  }
  if (data.length !== elements(shape)) {
    return [`${name} has ${data.length} values, but its shape ${wanted} takes ${elements(shape)}`];
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return [];
  const count = data.reduce((n, value) => (Number.isFinite(value) ? n : n + 1), 0);
  const place = coordinates(bad, shape).join(', ');
  return [`${name} is ${data[bad]} at [${place}], ${count} of ${data.length} values are not finite`];
}

function lengthFaults(name: string, values: ArrayLike<number>, length: number): string[] {
  if (values.length === length) return [];
  return [`${name} has ${values.length} values, expected ${length}, one a sample`];
}

function elementFaults(
  name: string,
  values: ArrayLike<number>,
  fits: (value: number) => boolean,
  expected: string,
): string[] {
  const wrong = Array.from(values, (value, i) => ({ value, i })).filter(({ value }) => !fits(value));
  const lines = wrong
    .slice(0, LISTED)
    .map(({ value, i }) => `${name}[${i}] is ${value}, expected ${expected}`);
  return wrong.length > LISTED
    ? [...lines, `${name}: … and ${wrong.length - LISTED} more like these`]
    : lines;
}

/** Where element `i` of a row-major tensor stands. */
function coordinates(i: number, shape: readonly number[]): readonly number[] {
  const place: number[] = [];
  let rest = i;
  for (const size of shape.toReversed()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return place;
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}

/** Whether a caller in JavaScript, too, gave a list of numbers. */
function isList(values: unknown): values is ArrayLike<number> {
  return typeof values === 'object' && values !== null && 'length' in values;
}
