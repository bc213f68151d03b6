// DDIM backwards: images to the latents that DDIM without noise leads back to them.
//
//   x_0 = image;  x_t+1 = reverse(x_t, eps(x_t, t))       for every index but the last      (Song et al. 2021, 5.4)
//
// That takes the noise from where a step begins, and the way back takes it from where the step ends: the fewer the
// steps, the further apart. So each step can be refined: x_t+1 is put into the model, and the noise that it holds
// makes a better x_t+1, until it moves no more and the way back undoes the step (a fixed point). So can the image
// itself, which is taken for x_0 of the least noisy index. A sample that has settled is left as it is, whatever the
// others of its batch do.

import { RuntimeError } from '../errors.ts';
import type { Model } from '../model.ts';
import { elements } from '../tensor.ts';
import { asTensor, type Group, groupChains } from './chain.ts';
import { type Denoiser, denoiserOf } from './denoiser.ts';
import { checkFinite } from './finite.ts';
import { createForward } from './forward.ts';
import type { DiffusionProcess } from './process.ts';
import {
  checkClassifierGuidance,
  checkGuidance,
  checkRequests,
  type SampleRequest,
  sampleShape,
} from './request.ts';
import type { Sample, SampleOptions } from './sample.ts';
import { ddimReverse, type Reading, readAnswer } from './samplers/ddim.ts';
import { samplerOf } from './samplers/index.ts';

export interface EncodeOptions
  extends Pick<SampleOptions, 'guidance' | 'classifier_scale' | 'clip_denoised' | 'signal'> {
  readonly process: DiffusionProcess;
  /** Corrections of each step at the most; each costs a forward pass. */
  readonly refine: number;
  /** Called after each step, counted over all batches. */
  readonly onStep?: (done: number, total: number) => void;
}

/** An image to be encoded, [C, ...space] in [-1, 1], with the conditions that it is encoded under. */
export interface EncodeRequest extends SampleRequest {
  readonly image: Float32Array;
}

/** A sample has settled when a correction moves no value further than this. */
const SETTLED = 1e-4;

/** What was made of an image: `image` is its latent, x of the noisiest index. */
export type Encoded = Omit<Sample, 'frames'>;

/** Yields the latents in the order of their images. Throws as `sample` does. */
export async function* encode(
  model: Model,
  requests: readonly EncodeRequest[],
  options: EncodeOptions,
): AsyncGenerator<Encoded, void, undefined> {
  const { process, guidance, classifier_scale, onStep } = options;
  const denoiser = denoiserOf(model.interface);
  checkClassifierGuidance(denoiser, classifier_scale, guidance);
  checkRequests(denoiser, process, samplerOf('ddim'), requests);
  if (guidance !== undefined) checkGuidance(denoiser, guidance);
  checkImages(denoiser, requests);
  const groups = groupChains(requests, new Map(), 0, denoiser.batch);
  const total = groups.length * process.timestep_map.length;
  let done = 0;
  for (const group of groups) {
    const rows = await encodeGroup(model, group, options, () => onStep?.(++done, total));
    for (const [k, { request, position }] of group.members.entries())
      yield { request, position, image: rows[k]! };
  }
}

/** @throws RuntimeError('input') at the first image that is not one of the model's */
function checkImages(model: Denoiser, requests: readonly EncodeRequest[]): void {
  const shape = sampleShape(model);
  for (const [position, { image }] of requests.entries()) {
    const bad = image.findIndex((value) => !Number.isFinite(value));
    const fault =
      image.length !== elements(shape)
        ? `has ${image.length} values, and [${shape.join(', ')}] takes ${elements(shape)}`
        : `holds ${image[bad]} at element ${bad}`;
    if (image.length !== elements(shape) || bad >= 0)
      throw new RuntimeError('input', `image ${position}: it ${fault}`);
  }
}

async function encodeGroup(
  model: Model,
  { members }: Group<EncodeRequest>,
  options: EncodeOptions,
  onStep: () => void,
): Promise<readonly Encoded['image'][]> {
  const { process, refine, clip_denoised = true, signal } = options;
  const requests = members.map(({ request }) => request);
  const forward = createForward(model, requests, process, options);
  const { shape } = forward;
  const readings = async (index: number, rows: readonly Float32Array[]): Promise<readonly Reading[]> => {
    signal?.throwIfAborted();
    const answers = await forward.predict(index, rows);
    const read = rows.map((x, k) => readAnswer(process, index, x, answers[k]!, clip_denoised));
    forward.forget();
    return read;
  };
  /** Rows at `index` whose own noise leads from `earlier`, one step nearer to the image, to them. */
  const refined = async (index: number, earlier: readonly Float32Array[], rows: readonly Float32Array[]) => {
    let better = rows;
    const settled = rows.map(() => false);
    for (let i = 0; i < refine && settled.includes(false); i++) {
      const read = await readings(index, better);
      better = better.map((x, k) => {
        if (settled[k]) return x;
        const next = undoStep(process, index, earlier[k]!, read[k]!.epsilon);
        settled[k] = next.every((value, j) => Math.abs(value - x[j]!) < SETTLED);
        return next;
      });
    }
    onStep();
    return better;
  };

  const images = requests.map(({ image }) => image);
  let rows = await refined(0, images, images);
  for (let index = 0; index < process.timestep_map.length - 1; index++) {
    const read = await readings(index, rows);
    const next = read.map(({ guess, epsilon }) => ddimReverse(process, index, guess, epsilon));
    rows = await refined(index + 1, rows, next);
    for (const [k, x] of rows.entries()) {
      checkFinite(x, 'the latent after the step', { process, index, seed: requests[k]!.seed, shape });
    }
  }
  return rows.map((x) => asTensor(x, shape));
}

/** x_t from x_t-1, if `epsilon` is the noise of the step between them: sqrt(a / a') x' + (s - s' sqrt(a / a')) eps. */
function undoStep(
  { tables, ddim_alphas_cumprod_prev }: DiffusionProcess,
  index: number,
  earlier: Float32Array,
  epsilon: Float32Array,
): Float32Array {
  const [here, previous] = [tables.alphas_cumprod[index]!, ddim_alphas_cumprod_prev[index]!];
  const ofEarlier = Math.sqrt(here / previous);
  const ofEpsilon = Math.sqrt(1 - here) - Math.sqrt(1 - previous) * ofEarlier;
  return earlier.map((value, i) => ofEarlier * value + ofEpsilon * epsilon[i]!);
}
