// A model of the Node API: open on a device with its weights, to be run, sampled and closed.

import type { Diffusion } from '../../compiler/graph/graph.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import type { ModelInputs, ModelInterface as Ports } from '../../runtime/model.ts';
import { type Denoiser, type DenoiserInputs, describeModel } from '../../runtime/sampler/denoiser.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import type { Guidance, SampleRequest } from '../../runtime/sampler/request.ts';
import { type Sample, type StepReport, sample } from '../../runtime/sampler/sample.ts';
import { type Sampler, usualSampler } from '../../runtime/sampler/samplers/index.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { UsageError } from '../errors.ts';
import type { OpenedModel } from './open-model.ts';

/**
 * `output` [B, out_channels, ...size], and where compiled with taps `down.i`, `middle`, `up.i`. A classifier's `output` is
 * [B, classes], before any softmax; loaded with `gradient` it has `gradient`, too, of the shape of x: that of the sum of
 * log softmax(output)[y] by x. So does a model that was loaded with a classifier, where `classifier_y` is given.
 */
export interface ModelOutputs {
  readonly output: Tensor;
  readonly [tap: string]: Tensor;
}

export interface SampleOptions {
  /** Default: `{ kind: 'ddim', eta: 0 }` where `steps` begins with ddim, else `{ kind: 'ddpm' }`. */
  readonly sampler?: Sampler | undefined;
  /** Classifier-free guidance, for models that were taught a null class. */
  readonly guidance?: Guidance | undefined;
  /** How far the classifier that the model was loaded with moves a step. Default 1. */
  readonly classifierScale?: number | undefined;
  /** The respacing: `50`, `ddim50`, or sections `10,10,20`. Default: every step of the training process. */
  readonly steps?: string | undefined;
  /** Looked at between steps; when aborted, its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step of each batch. */
  readonly onStep?: ((report: StepReport) => void) | undefined;
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
  readonly diffusion: Diffusion;
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
  /** Gives back the GPU's memory, after the run under way. The model cannot run any more. */
  close(): Promise<void>;
}

/** A model that was opened, as the API gives it. `notes` may still grow while the model is opened. */
export function loadedModel(
  { model, graph, adapter, close }: OpenedModel,
  notes: readonly string[],
): LoadedModel {
  let closed: Promise<void> | null = null;
  const running = new Set<Promise<unknown>>();
  const run = (inputs: ModelInputs) => {
    if (closed) return Promise.reject(new RuntimeError('input', 'the model was closed; load it again'));
    const run = model.run(inputs).finally(() => running.delete(run));
    running.add(run);
    return run;
  };
  return {
    name: graph.name,
    adapter,
    interface: { ...describeModel(model.interface), ...model.interface },
    diffusion: graph.diffusion,
    notes,
    run: async (inputs) => Object.fromEntries(await run(inputs)) as ModelOutputs,
    sample(requests, { steps = '', sampler, guidance, classifierScale, signal, onStep } = {}) {
      checkScale(classifierScale);
      const process = diffusionProcess(graph.diffusion, steps);
      const watched = {
        ...(guidance && { guidance }),
        ...(classifierScale !== undefined && { classifier_scale: classifierScale }),
        ...(signal && { signal }),
        ...(onStep && { onStep }),
      };
      return sample({ interface: model.interface, run }, requests, {
        process,
        sampler: sampler ?? usualSampler(steps),
        ...watched,
      });
    },
    close() {
      closed ??= Promise.allSettled(running).then(() => close());
      return closed;
    },
  };
}

function checkScale(scale: unknown): void {
  if (scale === undefined || Number.isFinite(scale)) return;
  throw new UsageError(`classifierScale: found ${scale}, expected a number, such as 1`);
}
