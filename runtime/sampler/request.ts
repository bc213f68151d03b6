// What one sample is asked to be, and whether a model can make it: everything is checked before the first step.

import { RuntimeError } from '../errors.ts';
import { elements } from '../tensor.ts';
import type { Denoiser } from './denoiser.ts';
import { LARGEST_SEED } from './noise.ts';
import type { DiffusionProcess } from './process.ts';
import { learnsVariance } from './process.ts';
import { type Sampler, samplerDef } from './samplers/index.ts';

/** One sample to be drawn. It depends on nothing but this, the model, the process and the sampler. */
export interface SampleRequest {
  /** The key of all its noise, 0 to `LARGEST_SEED`. */
  readonly seed: number;
  /** x_T, [C, ...space] row-major, in place of the seed's. */
  readonly noise?: Float32Array;
  /** Class label; given exactly when the model has classes, or a classifier guides it. */
  readonly label?: number;
  /** [C, ...low-res space] in [-1, 1]; given exactly when the model is a super-resolution model. */
  readonly low_res?: Float32Array;
}

/** Classifier-free guidance: how far to go from the null class's prediction to the label's; 1 is the label's own. */
export interface Guidance {
  readonly scale: number;
  readonly null_class: number;
}

/**
 * Checks the scale of a classifier, and that its labels are those of the model: as many classes, or one less than a model
 * that was taught a null class.
 * @throws RuntimeError('input')
 */
export function checkClassifierGuidance(
  { num_classes, classifier_classes }: Denoiser,
  scale: number | undefined,
  guidance: Guidance | undefined,
): void {
  const fail = (message: string): never => {
    throw new RuntimeError('input', message);
  };
  if (classifier_classes === null) {
    if (scale === undefined) return;
    fail('classifier_scale: no classifier guides the model; give one, or leave the scale out');
  }
  // steps are float32, where a larger one is infinite
  if (scale !== undefined && !Number.isFinite(Math.fround(scale)))
    fail(`classifier_scale: found ${scale}, expected a number, such as 1`);
  if (num_classes === null || num_classes === classifier_classes) return;
  if (guidance?.null_class === classifier_classes && num_classes === classifier_classes! + 1) return;
  fail(
    `the model has ${num_classes} classes, and the classifier tells ${classifier_classes} apart; a label must mean the ` +
      `same to both: give a classifier of ${num_classes} classes`,
  );
}

/** Whether samples have labels: the model's classes, or those of the classifier that guides it. */
export function takesLabels({ num_classes, classifier_classes }: Denoiser): boolean {
  return num_classes !== null || classifier_classes !== null;
}

/** Shape of one sample of the model: [C, ...space]. */
export function sampleShape(model: Denoiser): readonly number[] {
  return [model.in_channels, ...model.image_size];
}

/** Shape of one low-resolution image, or null where the model takes none. */
export function lowResShape(model: Denoiser): readonly number[] | null {
  return model.low_res_size === null ? null : [model.in_channels, ...model.low_res_size];
}

/**
 * Checks that the model can be sampled by this process and sampler, and each request against the model.
 * @throws RuntimeError('input') with every kind of fault once, at the first request that has it
 */
export function checkRequests(
  model: Denoiser,
  process: DiffusionProcess,
  sampler: Sampler,
  requests: readonly SampleRequest[],
): void {
  if (
    !Array.isArray(requests) ||
    requests.some((request) => typeof request !== 'object' || request === null)
  ) {
    throw new RuntimeError('input', 'samples are asked for as a list, such as [{ seed: 0 }]');
  }
  checkChannels(model, process);
  samplerDef(sampler).check(process, sampler);
  const faults = [seedFault, labelFault, noiseFault, lowResFault].flatMap((find) => {
    for (const [position, request] of requests.entries()) {
      const fault = find(model, request);
      if (fault !== null) return [`sample ${position} (seed ${request.seed}): ${fault}`];
    }
    return [];
  });
  if (faults.length > 0) throw new RuntimeError('input', faults.join('\n'));
}

/** @throws RuntimeError('input') where the model has no such null class, or the scale is no number */
export function checkGuidance({ num_classes }: Denoiser, { scale, null_class }: Guidance): void {
  const fail = (message: string): never => {
    throw new RuntimeError('input', `guidance: ${message}`);
  };
  if (num_classes === null)
    fail('the model has no classes, so there is nothing to guide towards; leave it out');
  if (!Number.isFinite(scale)) fail(`the scale is ${scale}; give a number, such as 3`);
  if (!Number.isInteger(null_class) || null_class < 0 || null_class >= num_classes!) {
    fail(`the null class ${null_class} is out of range; the model's classes are 0 to ${num_classes! - 1}`);
  }
}

function checkChannels(model: Denoiser, { settings }: DiffusionProcess): void {
  const expected = model.in_channels * (learnsVariance(settings.variance) ? 2 : 1);
  if (model.out_channels === expected) return;
  throw new RuntimeError(
    'input',
    `diffusion.variance: ${settings.variance} needs ${expected} output channels for images of ${model.in_channels}, ` +
      `and the model has ${model.out_channels}; correct diffusion.variance or out_channels in the graph`,
  );
}

function seedFault(_model: Denoiser, { seed }: SampleRequest): string | null {
  if (Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED) return null;
  return `a seed is a whole number from 0 to ${LARGEST_SEED}`;
}

/** What is wrong with a sample without a label; null where the model takes none. */
export function missingLabel(model: Denoiser): string | null {
  if (!takesLabels(model)) return null;
  const { who, classes } = labelled(model);
  return `the ${who} has ${classes} classes; give a label, 0 to ${classes - 1}`;
}

/** How many labels there are, and whose they are: the classifier's where it has fewer than the model. */
function labelled({ num_classes, classifier_classes }: Denoiser) {
  const classes = Math.min(
    num_classes ?? Number.POSITIVE_INFINITY,
    classifier_classes ?? Number.POSITIVE_INFINITY,
  );
  return { classes, who: classes === num_classes ? 'model' : 'classifier' } as const;
}

function labelFault(model: Denoiser, { label }: SampleRequest): string | null {
  if (label === undefined) return missingLabel(model);
  if (!takesLabels(model)) return `the model has no classes; leave out the label ${label}`;
  const { who, classes } = labelled(model);
  if (Number.isInteger(label) && label >= 0 && label < classes) return null;
  return `label ${label} is out of range; the ${who}'s classes are 0 to ${classes - 1}`;
}

function noiseFault(model: Denoiser, { noise }: SampleRequest): string | null {
  return noise === undefined ? null : valuesFault('noise', noise, sampleShape(model));
}

function lowResFault(model: Denoiser, { low_res }: SampleRequest): string | null {
  const shape = lowResShape(model);
  if (shape === null) {
    return low_res === undefined ? null : 'the model is not for super-resolution; leave out low_res';
  }
  if (low_res === undefined) return `the model upsamples; give low_res, [${shape.join(', ')}] a sample`;
  return valuesFault('low_res', low_res, shape);
}

function valuesFault(name: string, values: Float32Array, shape: readonly number[]): string | null {
  if (values.length !== elements(shape)) {
    return `${name} has ${values.length} values, and [${shape.join(', ')}] takes ${elements(shape)}`;
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  return bad < 0 ? null : `${name} holds ${values[bad]} at element ${bad}`;
}
