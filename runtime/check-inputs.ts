// Checks the inputs of a run against the ports that the model takes, before anything runs.

import { RuntimeError } from './errors.ts';
import type { ModelInputs, ModelInterface, PortValue } from './model.ts';
import type { InputSpec } from './ports.ts';
import { elements } from './tensor.ts';

/** Faults of one kind that are written out; the rest is counted. */
const LISTED = 4;

/** Throws RuntimeError('input') that lists every input that is missing, superfluous or does not fit. */
export function checkInputs(inputs: ModelInputs, ports: ModelInterface['inputs']): void {
  const faults = findInputFaults(inputs ?? {}, ports);
  if (faults.length > 0) throw new RuntimeError('input', faults.join('\n'));
}

/** Every fault of the inputs, one a line, each naming its port and what to do; none where they fit the model. */
export function findInputFaults(inputs: ModelInputs, ports: ModelInterface['inputs']): readonly string[] {
  const known = new Set(ports.map(({ name }) => name));
  const taken = ports.map(({ name }) => name).join(', ');
  const superfluous = Object.keys(inputs).filter((name) => !known.has(name) && isGiven(inputs[name]));
  return [
    ...ports.flatMap((port) => portFaults(port, Object.hasOwn(inputs, port.name) ? inputs[port.name] : null)),
    ...superfluous.map((name) => `${name} is given, but the model takes only ${taken}; leave it out`),
  ];
}

function portFaults(port: InputSpec, value: PortValue | null | undefined): readonly string[] {
  const { name, encoding, shape } = port;
  const [samples = 1] = shape;
  const list = listIn(value);
  switch (encoding) {
    case 'image':
      return tensorFaults(name, value, shape);
    case 'timestep':
      if (list === null) return [`${name} is missing: give ${samples}, one a sample`];
      return [
        ...lengthFaults(name, list, samples),
        ...elementFaults(name, list, Number.isFinite, 'a finite number'),
      ];
    case 'label': {
      const { classes } = port;
      if (list === null) {
        return [
          `${name} is missing: the model has ${classes} classes, give a label for each of ${samples} samples`,
        ];
      }
      const isLabel = (label: number) => Number.isInteger(label) && label >= 0 && label < classes;
      return [
        ...lengthFaults(name, list, samples),
        ...elementFaults(name, list, isLabel, `a label from 0 to ${classes - 1}`),
      ];
    }
    case 'plain':
      return isList(value) ? listFaults(port, value) : tensorFaults(name, value, shape);
  }
}

/** Faults of a list of numbers that is given row-major. */
function listFaults({ name, shape, dtype }: InputSpec, values: ArrayLike<number>): readonly string[] {
  const wanted = elements(shape);
  if (values.length !== wanted) {
    return [`${name} has ${values.length} values, expected ${wanted}: [${shape.join(', ')}] row-major`];
  }
  if (dtype !== 'u32') return elementFaults(name, values, Number.isFinite, 'a finite number');
  const isWhole = (value: number) => Number.isInteger(value) && value >= 0 && value <= 0xffffffff;
  return elementFaults(name, values, isWhole, 'a whole number from 0 to 4294967295');
}

/** Faults of a value that must be a tensor of a shape. */
export function tensorFaults(
  name: string,
  tensor: PortValue | null | undefined,
  expected: readonly number[],
): readonly string[] {
  const wanted = `[${expected.join(', ')}]`;
  if (!isGiven(tensor)) return [`${name} is missing: the model takes ${wanted}`];
  // Callers in JavaScript have no compiler to tell them.
  const { shape, data } = tensor as { readonly shape?: unknown; readonly data?: unknown };
  if (!Array.isArray(shape) || !(data instanceof Float32Array)) {
    return [`${name} is no tensor; give { shape, data }, the shape ${wanted} and the data a Float32Array`];
  }
  if (shape.length !== expected.length || shape.some((n, i) => n !== expected[i])) {
    return [`${name} has shape [${shape.join(', ')}], expected ${wanted} (batch and size are compiled in)`];
  }
  if (data.length !== elements(shape)) {
    return [`${name} has ${data.length} values, but its shape ${wanted} takes ${elements(shape)}`];
  }
  if (areFinite(data)) return [];
  const bad = data.findIndex((value) => !Number.isFinite(value));
  const count = data.reduce((n, value) => (Number.isFinite(value) ? n : n + 1), 0);
  const place = coordinates(bad, shape).join(', ');
  return [`${name} is ${data[bad]} at [${place}], ${count} of ${data.length} values are not finite`];
}

/**
 * Whether no value is infinite or NaN. A batch of images has a million values: a call for each takes milliseconds, and two
 * sums of zeros that do not wait for each other a fraction of one. Numbers are float64 here, in which no sum of four float32
 * overflows.
 */
function areFinite(data: Float32Array): boolean {
  let [a, b] = [0, 0];
  const whole = data.length - (data.length % 8);
  for (let i = 0; i < whole; i += 8) {
    a += (data[i]! - data[i + 1]! + data[i + 2]! - data[i + 3]!) * 0;
    b += (data[i + 4]! - data[i + 5]! + data[i + 6]! - data[i + 7]!) * 0;
  }
  for (let i = whole; i < data.length; i++) a += data[i]! * 0;
  return a + b === 0;
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

/** The numbers of a list or of a tensor; null where it is neither. */
function listIn(value: unknown): ArrayLike<number> | null {
  if (isList(value)) return value;
  const data = isGiven(value) ? (value as { readonly data?: unknown }).data : null;
  return isList(data) ? data : null;
}

/** Whether a caller in JavaScript, too, gave a list of numbers. */
function isList(values: unknown): values is ArrayLike<number> {
  return typeof values === 'object' && values !== null && 'length' in values;
}
