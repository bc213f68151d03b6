// The files that samples start from or are conditioned on, read and turned into requests.

import type { Origin } from '../../runtime/bytes.ts';
import { fault } from '../../runtime/bytes.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { Denoiser } from '../../runtime/sampler/denoiser.ts';
import type { SampleRequest } from '../../runtime/sampler/request.ts';
import { lowResShape, missingLabel, sampleShape, takesLabels } from '../../runtime/sampler/request.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { elements } from '../../runtime/tensor.ts';
import { OptionError } from '../errors.ts';
import {
  checkShape,
  type InputImage,
  imageValues,
  readFloats,
  readImages,
  splitBatch,
  wanted,
} from './images.ts';
import type { SampleJob } from './job.ts';

/** What the files of a job hold. */
export interface SampleInputs {
  /** x_T of each sample, [N, C, ...space], with the file's name. */
  readonly noise: { readonly origin: Origin; readonly tensor: Tensor } | null;
  /** Labels of the job, or of the noise file or the images, where there are as many as of these. */
  readonly labels: readonly number[] | null;
  /** Whether the labels came with the images: a model without classes leaves them out. */
  readonly besides: boolean;
  readonly low_res: readonly InputImage[] | null;
}

/** Reads every file that a job names. Throws RuntimeError('input') with the file, and what it should hold. */
export function readInputs(job: SampleJob): SampleInputs {
  const found = job.low_res === null ? null : readImages(job.low_res, 'low_res');
  const low_res = found?.images ?? null;
  if (job.noise !== null) return readNoise(job.noise, job, low_res);
  const besides = job.labels === null && found !== null && found.labels !== null;
  return { noise: null, labels: besides ? found.labels : job.labels, low_res, besides };
}

/** Reads `noise`, and `y` and `low_res` where the file has them; other tensors are left alone. */
function readNoise(file: string, job: SampleJob, images: SampleInputs['low_res']): SampleInputs {
  const origin: Origin = { kind: 'input', label: file };
  const tensors = readFloats(origin);
  const noise = wanted(tensors, 'noise', origin);
  const [count = 0] = noise.shape;
  if (count === 0) throw fault(origin, `noise has no samples; its shape is [${noise.shape.join(', ')}]`);
  const besides = (name: 'y' | 'low_res', option: string, given: boolean): Tensor | undefined => {
    const found = tensors.get(name);
    if (found !== undefined && given)
      throw new OptionError('input', (spell) => `${file}: it holds ${name}; leave out ${spell(option)}`);
    if (found === undefined || found.shape[0] === count) return found;
    throw fault(
      origin,
      `${name} is [${found.shape.join(', ')}], and noise has ${count} samples; make them agree`,
    );
  };
  const y = besides('y', 'class', job.labels !== null);
  const low = besides('low_res', 'low_res', images !== null);
  if (y !== undefined && y.shape.length !== 1) {
    throw fault(origin, `y is [${y.shape.join(', ')}]; one label a sample makes it [${count}]`);
  }
  return {
    noise: { origin, tensor: noise },
    labels: y === undefined ? job.labels : Array.from(y.data),
    low_res: low === undefined ? images : splitBatch(low, 'low_res', origin),
    besides: false,
  };
}

/** How many samples a job makes. Throws RuntimeError('input') where images do not go round them evenly. */
export function countSamples(job: SampleJob, inputs: SampleInputs): number {
  const images = inputs.low_res?.length ?? 1;
  const count = inputs.noise?.tensor.shape[0] ?? job.seeds?.length ?? images;
  if (count % images === 0) return count;
  throw new RuntimeError(
    'input',
    `${job.low_res}: ${images} images do not go round ${count} samples evenly; make a multiple of ${images} samples`,
  );
}

/** One request a sample. Throws RuntimeError('input') where a file does not fit the model. */
export function makeRequests(
  job: SampleJob,
  inputs: SampleInputs,
  model: Denoiser,
): readonly SampleRequest[] {
  const noise = inputs.noise === null ? null : noiseRows(inputs.noise, model);
  const images = inputs.low_res?.map((image) => lowResValues(image, model)) ?? null;
  const labels = inputs.besides && !takesLabels(model) ? null : inputs.labels;
  if (labels === null) checkUnlabelled(model);
  return Array.from({ length: countSamples(job, inputs) }, (_, k) => ({
    seed: job.seeds === null ? k : job.seeds[k]!,
    ...(noise === null ? {} : { noise: noise[k]! }),
    ...(labels === null ? {} : { label: labels[k % labels.length]! }),
    ...(images === null ? {} : { low_res: images[k % images.length]! }),
  }));
}

/** Throws RuntimeError('input') where a model has classes, and its samples no labels. */
export function checkUnlabelled(model: Denoiser): void {
  const missing = missingLabel(model);
  if (missing === null) return;
  throw new OptionError('input', (option) => `${missing}, with ${option('class')}`);
}

/** What a manifest calls the low-resolution image of each sample. */
export function lowResNames({ low_res }: SampleInputs, count: number): readonly (string | undefined)[] {
  return Array.from({ length: count }, (_, k) => low_res?.[k % low_res.length]?.name);
}

function noiseRows(
  { origin, tensor }: NonNullable<SampleInputs['noise']>,
  model: Denoiser,
): readonly Float32Array[] {
  const [count, ...shape] = tensor.shape;
  checkShape('noise', shape, sampleShape(model), origin);
  const length = elements(shape);
  return Array.from({ length: count! }, (_, k) => tensor.data.subarray(k * length, (k + 1) * length));
}

function lowResValues(image: InputImage, model: Denoiser): Float32Array {
  const shape = lowResShape(model);
  if (shape === null) throw fault(image.origin, 'the model is not for super-resolution and takes no low_res');
  return imageValues(image, shape);
}
