// A model as a sampler calls it: with classifier.ts the only place of the runtime that knows ports by their names. A denoiser
// takes `x`, the images, and `timesteps`; where it has classes their labels as `y`, where it upsamples the small images as
// `low_res`. It gives `output`, of the size of x. One that a classifier guides takes labels for that, too, and gives its
// gradient.

import { RuntimeError } from '../errors.ts';
import type { ModelInterface, PortValue, TimeRow } from '../model.ts';
import type { InputSpec } from '../ports.ts';
import type { Tensor } from '../tensor.ts';
import { CLASSIFIER_LABELS, GRADIENT, isClassifier } from './classifier.ts';

/** Inputs of one pass of a denoiser. */
export interface DenoiserInputs {
  /** [B, C, ...space], row-major float32. */
  readonly x: Tensor;
  /** [B], fractional values allowed. */
  readonly timesteps: ArrayLike<number>;
  /** [B] class labels; given exactly when the model has classes. */
  readonly y?: ArrayLike<number>;
  /** [B, C, ...low-res space]; given exactly when the model is a super-resolution model. */
  readonly low_res?: Tensor;
  /** [B] labels that a guided model's classifier is asked for; without them it gives no gradient. */
  readonly [CLASSIFIER_LABELS]?: ArrayLike<number>;
  readonly [port: string]: PortValue | undefined;
}

/** What a denoiser takes and gives, in a sampler's words. */
export interface Denoiser {
  readonly batch: number;
  readonly in_channels: number;
  readonly out_channels: number;
  readonly image_size: readonly number[];
  readonly num_classes: number | null;
  readonly low_res_size: readonly number[] | null;
  /** Classes that the classifier of a guided model tells apart; null where none guides it. */
  readonly classifier_classes: number | null;
}

/** The encoding of each input that a sampler knows how to give. */
const ENCODINGS: Readonly<Record<string, InputSpec['encoding']>> = {
  x: 'image',
  timesteps: 'timestep',
  y: 'label',
  low_res: 'image',
  [CLASSIFIER_LABELS]: 'label',
};

/** @throws RuntimeError('input') where a sampler cannot call the model, with every reason */
export function denoiserOf({ batch, inputs, outputs }: ModelInterface): Denoiser {
  const find = <E extends InputSpec['encoding']>(name: string, encoding: E) =>
    inputs.find((port): port is Extract<InputSpec, { encoding: E }> => {
      return port.name === name && port.encoding === encoding;
    });
  const x = find('x', 'image');
  const y = find('y', 'label');
  const low = find('low_res', 'image');
  const output = outputs.find(({ name }) => name === 'output');
  const gradient = outputs.find(({ name }) => name === GRADIENT);
  const faults = [
    ...(x ? [] : ['it takes no images x']),
    ...(find('timesteps', 'timestep') ? [] : ['it takes no timesteps']),
    ...inputs
      .filter(({ name, encoding }) => ENCODINGS[name] !== encoding)
      .map(({ name, encoding }) => `a sampler has nothing to give as ${name} (${encoding})`),
    ...(output?.encoding === 'image' ? [] : ['it gives no images called output']),
  ];
  const [, in_channels, ...image_size] = x?.shape ?? [];
  const [, out_channels, ...output_size] = output?.shape ?? [];
  if (output && output_size.length === 0) {
    faults.push(`it gives ${out_channels} numbers a sample, no images: it is a classifier`);
  } else if (x && output && image_size.join() !== output_size.join()) {
    faults.push(`x is ${image_size.join('x')} and output ${output_size.join('x')}`);
  }
  if (faults.length > 0 || in_channels === undefined || out_channels === undefined) {
    throw new RuntimeError('input', `the model cannot be sampled: ${faults.join('; ')}`);
  }
  return {
    batch,
    in_channels,
    out_channels,
    image_size,
    num_classes: y?.classes ?? null,
    low_res_size: low?.shape.slice(2) ?? null,
    classifier_classes: (gradient && find(CLASSIFIER_LABELS, 'label')?.classes) ?? null,
  };
}

/** A denoiser's words for any model; of a classifier, which no sampler can call, `out_channels` are its classes. */
export function describeModel(face: ModelInterface): Denoiser {
  if (!isClassifier(face)) return denoiserOf(face);
  const shapeOf = (ports: ModelInterface['inputs'] | ModelInterface['outputs'], name: string) =>
    ports.find((port) => port.name === name)?.shape ?? [];
  const [, in_channels = 0, ...image_size] = shapeOf(face.inputs, 'x');
  const [, classes = 0] = shapeOf(face.outputs, 'output');
  const isLabelled = face.inputs.some(({ name }) => name === 'y');
  return {
    ...{ batch: face.batch, in_channels, out_channels: classes, image_size },
    ...{ num_classes: isLabelled ? classes : null, low_res_size: null, classifier_classes: null },
  };
}

/** A row of the time path of a pass. */
export function denoiserRow(timestep: number, label: number | null): TimeRow {
  return label === null ? { timesteps: timestep } : { timesteps: timestep, y: label };
}
