// A model as the Node API and the runtime give it: open on a device with its weights, to be run, sampled and closed.
// `await using` needs a library that programs for ES2022 do not name; the types ask for it themselves.
/// <reference lib="esnext.disposable" preserve="true" />

import {
  checkEncoding,
  checkInputs,
  checkSampling,
  type EncodeInput,
  type EncodeOptions,
  type SampleOptions,
} from './call-options.ts';
import { RuntimeError } from './errors.ts';
import type { Model, ModelInputs, ModelInterface as Ports } from './model.ts';
import { type Denoiser, type DenoiserInputs, describeModel } from './sampler/denoiser.ts';
import { type DiffusionSettings, diffusionProcess } from './sampler/process.ts';
import type { SampleRequest } from './sampler/request.ts';
import { type Sample, sample } from './sampler/sample.ts';
import { optionsOf, type Sampler, samplerOf, usualSampler } from './sampler/samplers/index.ts';
import type { Tensor } from './tensor.ts';

/**
 * `output` [B, out_channels, ...size], and where compiled with taps `down.i`, `middle`, `up.i`. A classifier's `output` is
 * [B, classes], before any softmax; loaded with `gradient` it has `gradient`, too, of the shape of x: that of the sum of
 * log softmax(output)[y] by x. So does a model that was loaded with a classifier, where `classifier_y` is given.
 */
export interface ModelOutputs {
  readonly output: Tensor;
  readonly [tap: string]: Tensor;
}

/** What a model takes and gives. A classifier's `out_channels` are its classes. */
export interface ModelInterface extends Denoiser, Ports {}

/** A model with its weights, ready to run. */
export interface LoadedModel<Inputs extends object = DenoiserInputs, Outputs = ModelOutputs> {
  /** The graph's name. */
  readonly name: string;
  /** What it runs on, in words. */
  readonly adapter: string;
  /** Batch, channels, sizes and classes, and every input and output with name, shape and encoding. */
  readonly interface: ModelInterface;
  /** The process it was trained with, as the graph says. */
  readonly diffusion: DiffusionSettings;
  /** What was odd about the graph, and what was done to make the weights fit. */
  readonly notes: readonly string[];
  /**
   * One forward pass. `x` is [B, in_channels, ...size] row-major, `timesteps` [B] (fractions allowed), `y` [B] exactly
   * where the model has classes, or is a classifier that was loaded with `gradient`, `low_res` [B, in_channels, ...its
   * size] exactly where it upsamples. A model with a classifier takes its labels as `classifier_y` [B] and then gives its
   * `gradient`. Runs queue.
   * Rejects with RuntimeError('input') that lists every input that does not fit, and RuntimeError('gpu').
   */
  run(inputs: Inputs): Promise<Outputs>;
  /**
   * Draws samples, in the order of the requests: each depends on its request alone, at any batch. A model that was loaded
   * with a classifier is guided by it. Throws UsageError for an option that is off, RuntimeError('input') before the first step, RuntimeError('gpu') where a value is not finite.
   */
  sample(
    requests: readonly SampleRequest[],
    options?: SampleOptions,
  ): AsyncGenerator<Sample, void, undefined>;
  /**
   * Leads images back to the noise that DDIM without noise makes them from, in their order, as `unetc encode` does: what
   * `sample` takes as `noise`, with the same steps and `{ kind: 'ddim', eta: 0 }`. Throws as `sample`.
   */
  encode(images: readonly EncodeInput[], options?: EncodeOptions): AsyncGenerator<Latent, void, undefined>;
  /** Gives back the GPU's memory, after the run under way. The model cannot run any more. */
  close(): Promise<void>;
  /** The same, at the end of the block of `await using model = await load(…)`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The noise that an image is made from. */
export interface Latent {
  readonly input: EncodeInput;
  /** Position of the image in the list. */
  readonly position: number;
  /** x_T, [C, ...space]. */
  readonly noise: Tensor;
}

/** What a loaded model is made of. `notes` may still grow while the model is opened. */
export interface ModelParts extends Pick<LoadedModel, 'name' | 'adapter' | 'diffusion' | 'notes'> {
  /** The model, with the classifier that guides it where there is one. */
  readonly model: Model;
  /** Gives back what the model holds. */
  close(): void | Promise<void>;
}

/** A model that was opened, as callers get it. */
export function loadedModel({ model, name, adapter, diffusion, notes, close }: ModelParts): LoadedModel {
  let closed: Promise<void> | null = null;
  const running = new Set<Promise<unknown>>();
  const run = (inputs: ModelInputs) => {
    if (closed) return Promise.reject(new RuntimeError('input', 'the model was closed; load it again'));
    const run = model.run(inputs).finally(() => running.delete(run));
    running.add(run);
    return run;
  };
  // what it prepares and how much it has under way is the model's own
  const watched: Model = { ...model, run };
  const end = (): Promise<void> => {
    closed ??= Promise.allSettled(running).then(close);
    return closed;
  };
  return {
    name,
    adapter,
    interface: { ...describeModel(model.interface), ...model.interface },
    diffusion,
    notes,
    async run(inputs) {
      checkInputs(inputs, model.interface);
      return Object.fromEntries(await run(inputs)) as ModelOutputs;
    },
    sample(requests, options = {}) {
      checkSampling(requests, options);
      const { steps = '', sampler, resumed, onStep } = options;
      return sample(watched, requests, {
        process: diffusionProcess(diffusion, steps),
        sampler: wholeSampler(sampler ?? usualSampler(steps)),
        ...sharedOptions(options),
        ...(resumed && { resumed }),
        ...(onStep && { onStep }),
      });
    },
    async *encode(images, options = {}) {
      const refine = checkEncoding(images, options);
      const { steps = '', onStep } = options;
      const process = diffusionProcess(diffusion, steps);
      const requests = images.map((one, seed) => ({ ...one, seed }));
      const shared = { process, refine, ...sharedOptions(options), ...(onStep && { onStep }) };
      const { encode } = await import('./sampler/encode.ts');
      for await (const { position, image } of encode(watched, requests, shared)) {
        yield { input: images[position]!, position, noise: image };
      }
    },
    close: end,
    [Symbol.asyncDispose]: end,
  };
}

/** A sampler whose options that are not given have their defaults. */
function wholeSampler(sampler: Sampler): Sampler {
  const given = Object.entries(optionsOf(sampler)).filter(([, value]) => value !== undefined);
  return samplerOf(sampler.kind, Object.fromEntries(given));
}

/** What drawing and encoding are told alike. */
function sharedOptions({
  guidance,
  classifierScale,
  clip,
  signal,
}: Omit<SampleOptions, 'sampler' | 'resumed' | 'onStep'>) {
  return {
    ...(guidance && { guidance }),
    ...(classifierScale !== undefined && { classifier_scale: classifierScale }),
    ...(clip !== undefined && { clip_denoised: clip }),
    ...(signal && { signal }),
  };
}
