// The files that samples start from or are conditioned on, read and turned into requests.

import path from 'node:path';
import type { Origin } from '../../runtime/bytes.ts';
import { fault } from '../../runtime/bytes.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { listFolder, pathKind, readFile } from '../../runtime/host/node/files.ts';
import { decodePng } from '../../runtime/host/node/png.ts';
import type { Pixels } from '../../runtime/image/pixels.ts';
import { fromPixels } from '../../runtime/image/pixels.ts';
import type { Denoiser } from '../../runtime/sampler/denoiser.ts';
import type { SampleRequest } from '../../runtime/sampler/request.ts';
import { lowResShape, sampleShape } from '../../runtime/sampler/request.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { elements } from '../../runtime/tensor.ts';
import { asFloat32, readTensors } from '../../runtime/weights/safetensors.ts';
import { sha256Of, sha256OfValues } from '../digest.ts';
import { OptionError } from '../errors.ts';
import type { SampleJob } from './job.ts';
import { isSheet } from './store.ts';

/** An image from a file before the model's channels are known. `digest` is of its pixels or values. */
export type InputImage = { readonly origin: Origin; readonly digest: string } & (
  | { readonly kind: 'png'; readonly pixels: Pixels }
  | { readonly kind: 'tensor'; readonly tensor: Tensor }
);

/** What the files of a job hold. */
export interface SampleInputs {
  /** x_T of each sample, [N, C, ...space], with the file's name. */
  readonly noise: { readonly origin: Origin; readonly tensor: Tensor } | null;
  /** Labels of the job, or of the noise file, where there are as many as noises. */
  readonly labels: readonly number[] | null;
  readonly low_res: readonly InputImage[] | null;
}

/** Reads every file that a job names. Throws RuntimeError('input') with the file, and what it should hold. */
export function readInputs(job: SampleJob): SampleInputs {
  const low_res = job.low_res === null ? null : readImages(job.low_res, 'low_res');
  return job.noise === null
    ? { noise: null, labels: job.labels, low_res }
    : readNoise(job.noise, job, low_res);
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
  const { labels } = inputs;
  return Array.from({ length: countSamples(job, inputs) }, (_, k) => ({
    seed: job.seeds === null ? k : job.seeds[k]!,
    ...(noise === null ? {} : { noise: noise[k]! }),
    ...(labels === null ? {} : { label: labels[k % labels.length]! }),
    ...(images === null ? {} : { low_res: images[k % images.length]! }),
  }));
}

/**
 * A PNG, a folder of them in the order of their names, or the tensor `name` of a safetensors file. Throws
 * RuntimeError('input').
 */
export function readImages(file: string, name: string): readonly InputImage[] {
  const origin: Origin = { kind: 'input', label: file };
  if (pathKind(file) === 'folder') {
    const names = listFolder(origin).filter((entry) => /^[^/]+\.png$/i.test(entry) && !isSheet(entry));
    if (names.length === 0) throw fault(origin, 'the folder holds no PNG');
    return names.map((entry) => readPng(path.join(file, entry)));
  }
  if (/\.png$/i.test(file)) return [readPng(file)];
  if (/\.safetensors$/i.test(file)) return splitBatch(wanted(readFloats(origin), name, origin), name, origin);
  throw fault(origin, `images are a .png, a folder of them, or a .safetensors with ${name}`);
}

function readPng(file: string): InputImage {
  const origin: Origin = { kind: 'input', label: file };
  const pixels = decodePng(readFile(origin), origin);
  const { width, height, channels, data } = pixels;
  return {
    kind: 'png',
    origin,
    pixels,
    digest: sha256Of(`${width} ${height} ${channels} ${sha256Of(data)}`),
  };
}

function readFloats(origin: Origin): ReadonlyMap<string, Tensor> {
  const tensors = readTensors(readFile(origin), origin);
  return new Map([...tensors].map(([name, tensor]) => [name, asFloat32(tensor)]));
}

function wanted(tensors: ReadonlyMap<string, Tensor>, name: string, origin: Origin): Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) {
    throw fault(origin, `there is no tensor ${name}, only ${[...tensors.keys()].join(', ')}`);
  }
  return tensor;
}

function splitBatch(
  { shape: [count = 0, ...shape], data }: Tensor,
  name: string,
  origin: Origin,
): readonly InputImage[] {
  if (count === 0) throw fault(origin, `${name} has no images`);
  const length = elements(shape);
  return Array.from({ length: count }, (_, k) => {
    const row = data.subarray(k * length, (k + 1) * length);
    return { kind: 'tensor', origin, digest: sha256OfValues(row), tensor: { shape, data: row } };
  });
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

/** An image as values of `shape` in [-1, 1]. Throws RuntimeError('input') where it is of another. */
export function imageValues(image: InputImage, shape: readonly number[]): Float32Array {
  const tensor = image.kind === 'tensor' ? image.tensor : pngTensor(image.pixels, shape, image.origin);
  checkShape('the image', tensor.shape, shape, image.origin);
  return tensor.data;
}

function pngTensor(pixels: Pixels, shape: readonly number[], origin: Origin): Tensor {
  const [channels, ...space] = shape;
  if (space.length !== 2 || (channels !== 1 && channels !== 3)) {
    throw fault(
      origin,
      `the model takes images of [${shape.join(', ')}], which no PNG holds; give a .safetensors`,
    );
  }
  const tensor = fromPixels(pixels, channels);
  if (tensor === null)
    throw fault(origin, 'the picture is coloured, and the model takes grey; convert it to grey');
  return tensor;
}

function checkShape(
  what: string,
  found: readonly number[],
  expected: readonly number[],
  origin: Origin,
): void {
  if (found.length === expected.length && found.every((size, i) => size === expected[i])) return;
  throw fault(
    origin,
    `${what} is [${found.join(', ')}] a sample, and the model takes [${expected.join(', ')}] (channels, then size)`,
  );
}
