// Draws samples from a model: requests in batches of the model's size, each batch down the whole chain.
//
// A sample depends on its own request alone: noise is keyed by its seed, and a batch is only how many are run
// together. The last batch is filled up with copies of its last request, which are thrown away.

import { RuntimeError } from '../errors.ts';
import type { Model, ModelInputs } from '../model.ts';
import type { Tensor } from '../tensor.ts';
import { elements } from '../tensor.ts';
import { INITIAL_STEP, normalNoise } from './noise.ts';
import type { DiffusionProcess } from './process.ts';
import type { SampleRequest } from './request.ts';
import { checkRequests, lowResShape, sampleShape } from './request.ts';
import type { Sampler } from './step.ts';
import { drawsNoise, sampleStep } from './step.ts';

export interface SampleOptions {
  readonly process: DiffusionProcess;
  readonly sampler: Sampler;
  /** Clips the guess at x_0 to [-1, 1] at every step. Default true. */
  readonly clip_denoised?: boolean;
  /** Looked at between steps; when aborted, its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called after each step of each batch. */
  readonly onStep?: (report: StepReport) => void;
}

/** How far a run is: `step` of `steps` in `batch` of `batches` is done, all counted from 1. */
export interface StepReport {
  readonly batch: number;
  readonly batches: number;
  readonly step: number;
  readonly steps: number;
}

export interface Sample {
  readonly request: SampleRequest;
  /** Position of the request in the list. */
  readonly position: number;
  /** x_0, [C, ...space]; near [-1, 1], but not clamped to it. */
  readonly image: Tensor;
}

/**
 * Yields the samples of `requests` in their order, as their batches are done.
 * @throws RuntimeError('input') before the first step where model, process and requests do not fit together;
 *   RuntimeError('gpu') where a value is NaN or infinite, naming step, timestep and sample; the signal's reason
 */
export async function* sample(
  model: Model,
  requests: readonly SampleRequest[],
  options: SampleOptions,
): AsyncGenerator<Sample, void, undefined> {
  checkRequests(model.interface, options.process, options.sampler, requests);
  const size = model.interface.batch;
  const batches = Math.ceil(requests.length / size);
  for (let batch = 0; batch < batches; batch++) {
    const first = batch * size;
    const some = requests.slice(first, first + size);
    const images = await sampleBatch(model, some, options, (step, steps) =>
      options.onStep?.({ batch: batch + 1, batches, step, steps }),
    );
    for (const [k, request] of some.entries()) yield { request, position: first + k, image: images[k]! };
  }
}

/** Walks at most `model.interface.batch` requests down the chain. */
async function sampleBatch(
  model: Model,
  requests: readonly SampleRequest[],
  { process, sampler, clip_denoised = true, signal }: SampleOptions,
  onStep: (step: number, steps: number) => void,
): Promise<readonly Tensor[]> {
  const shape = sampleShape(model.interface);
  const length = elements(shape);
  const conditioning = batchConditioning(model, requests);
  const x = stackRows(
    model,
    shape,
    requests,
    (request) => request.noise ?? normalNoise(request.seed, INITIAL_STEP, length),
  );
  const steps = process.timestep_map.length;

  for (let index = steps - 1; index >= 0; index--) {
    signal?.throwIfAborted();
    const place: Place = { process, index, shape };
    const timesteps = new Float32Array(model.interface.batch).fill(process.model_timesteps[index]!);
    const output = outputRows(await model.run({ x, timesteps, ...conditioning }), model, shape);
    for (const [k, request] of requests.entries()) {
      const row = x.data.subarray(k * length, (k + 1) * length);
      const ofModel = output(k);
      // Looked at before anything is clamped: a clamp turns infinities into white and PNG turns NaN into black.
      checkFinite(ofModel, `the model's output`, request, place);
      const noise = drawsNoise(sampler, index) ? normalNoise(request.seed, index, length) : null;
      const next = sampleStep(process, index, sampler, row, ofModel, noise, clip_denoised);
      checkFinite(next, 'the image after the step', request, place);
      row.set(next);
    }
    onStep(steps - index, steps);
  }
  return requests.map((_, k) => ({ shape, data: x.data.slice(k * length, (k + 1) * length) }));
}

function batchConditioning(
  model: Model,
  requests: readonly SampleRequest[],
): Pick<ModelInputs, 'y' | 'low_res'> {
  const shape = lowResShape(model.interface);
  return {
    ...(model.interface.num_classes === null
      ? {}
      : { y: Array.from({ length: model.interface.batch }, (_, k) => atRow(requests, k).label!) }),
    ...(shape === null ? {} : { low_res: stackRows(model, shape, requests, (request) => request.low_res!) }),
  };
}

/** [B, ...shape], one row a request; rows past the last request repeat it. */
function stackRows(
  model: Model,
  shape: readonly number[],
  requests: readonly SampleRequest[],
  row: (request: SampleRequest) => Float32Array,
): Tensor {
  const length = elements(shape);
  const data = new Float32Array(model.interface.batch * length);
  const rows = requests.map(row);
  for (let k = 0; k < model.interface.batch; k++) data.set(atRow(rows, k), k * length);
  return { shape: [model.interface.batch, ...shape], data };
}

function atRow<T>(rows: readonly T[], k: number): T {
  return rows[Math.min(k, rows.length - 1)]!;
}

/** The rows of a model's `output`, [B, out_channels, ...space]. */
function outputRows(
  results: ReadonlyMap<string, Tensor>,
  model: Model,
  shape: readonly number[],
): (k: number) => Float32Array {
  const output = results.get('output');
  const length = model.interface.out_channels * elements(shape.slice(1));
  if (output === undefined || output.data.length !== model.interface.batch * length) {
    throw new Error(`internal: the model gave no output of [${model.interface.batch}, ${length}] values`);
  }
  return (k) => output.data.subarray(k * length, (k + 1) * length);
}

interface Place {
  readonly process: DiffusionProcess;
  readonly index: number;
  readonly shape: readonly number[];
}

/** @throws RuntimeError('gpu') at the first NaN or infinity */
function checkFinite(
  values: Float32Array,
  what: string,
  request: SampleRequest,
  { process, index, shape }: Place,
): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const count = values.reduce((n, value) => (Number.isFinite(value) ? n : n + 1), 0);
  const steps = process.timestep_map.length;
  throw new RuntimeError(
    'gpu',
    `step ${steps - index} of ${steps} (timestep ${process.timestep_map[index]}), sample of seed ${request.seed}: ` +
      `${what} is ${values[bad]} at [${coordinates(bad, shape).join(', ')}], ${count} of ${values.length} values are ` +
      'not finite; check the weights, and run the same inputs with `unetc run --reference`',
  );
}

/** Coordinates of element `i` of a tensor whose dimensions after the first are those of `shape`. */
function coordinates(i: number, shape: readonly number[]): readonly number[] {
  const place: number[] = [];
  let rest = i;
  for (const size of shape.slice(1).toReversed()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return [rest, ...place];
}
