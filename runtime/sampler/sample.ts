// Draws samples from a model: requests in batches of the model's size, each batch down the whole chain.
//
// A sample depends on its own request alone: noise is keyed by its seed, and a batch is only how many are run
// together. The last batch is filled up with copies of its last request, which are thrown away. Where the model takes
// several passes at once, several batches are under way: while the host makes the step of one, the device has another.

import type { Model } from '../model.ts';
import type { Tensor } from '../tensor.ts';
import { elements } from '../tensor.ts';
import {
  asTensor,
  type Chain,
  type ChainState,
  type Group,
  groupChains,
  startChain,
  trajectoryIndices,
} from './chain.ts';
import { denoiserOf } from './denoiser.ts';
import { checkFinite } from './finite.ts';
import { createForward, timeRows } from './forward.ts';
import { orGiveUp } from './give-up.ts';
import { createLanes, type Lane } from './lanes.ts';
import { normalNoise } from './noise.ts';
import type { DiffusionProcess } from './process.ts';
import type { Guidance, SampleRequest } from './request.ts';
import { checkClassifierGuidance, checkGuidance, checkRequests, sampleShape } from './request.ts';
import { type Sampler, samplerDef } from './samplers/index.ts';
import type { Step } from './samplers/sampler.ts';
import { takeSteps } from './take-steps.ts';

export interface SampleOptions {
  readonly process: DiffusionProcess;
  readonly sampler: Sampler;
  /** Classifier-free guidance, for models that were trained with a null class. */
  readonly guidance?: Guidance;
  /** How far the classifier of a guided model moves a step. Default 1. */
  readonly classifier_scale?: number;
  /** Clips the guess at x_0 to [-1, 1] at every step. Default true. */
  readonly clip_denoised?: boolean;
  /** Pictures of the guess at x_0 to keep on the way, spread over the steps. Default 0. */
  readonly frames?: number;
  /** Where chains go on that were stopped, by the position of their request. */
  readonly resumed?: ReadonlyMap<number, ChainState>;
  /** Looked at between steps; when aborted, its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Milliseconds that a step under way has to end after an abort before it is given up. Default: for ever. */
  readonly grace?: number;
  /** Called after each step of each batch. */
  readonly onStep?: (report: StepReport) => void;
}

/** How far a run is: `step` of `steps` in `batch` of `batches` is done, all counted from 1. */
export interface StepReport {
  readonly batch: number;
  readonly batches: number;
  readonly step: number;
  readonly steps: number;
  /** Steps that all batches have taken in this run, and will have taken at its end. */
  readonly done: number;
  readonly total: number;
  /** Where all chains under way stand when this is called. */
  chains(): readonly Chain[];
  /** What the step that was taken guesses of the images of its batch. */
  guesses(): readonly Guess[];
}

/** A guess at the image of a sample under way. */
export interface Guess {
  readonly request: SampleRequest;
  /** Position of the request in the list. */
  readonly position: number;
  /** The guess at x_0, [C, ...space]. */
  readonly image: Tensor;
}

export interface Sample {
  readonly request: SampleRequest;
  /** Position of the request in the list. */
  readonly position: number;
  /** x_0, [C, ...space]; near [-1, 1], but not clamped to it. */
  readonly image: Tensor;
  /** Guesses at x_0 on the way, in the order of the steps. */
  readonly frames: readonly Tensor[];
}

/**
 * Yields the samples of `requests` as their batches are done: in their order, but those of `resumed` first.
 * @throws RuntimeError('input') before the first step where model, process and requests do not fit together;
 *   NotFinite where a value is NaN or infinite, naming step, timestep and sample; the signal's reason
 */
export async function* sample(
  model: Model,
  requests: readonly SampleRequest[],
  options: SampleOptions,
): AsyncGenerator<Sample, void, undefined> {
  const { process, sampler, guidance, classifier_scale, onStep, resumed = new Map() } = options;
  const denoiser = denoiserOf(model.interface);
  checkClassifierGuidance(denoiser, classifier_scale, guidance);
  checkRequests(denoiser, process, sampler, requests);
  if (guidance !== undefined) checkGuidance(denoiser, guidance);
  const steps = process.timestep_map.length;
  await model.prepareTimes?.(timeRows(process, requests, guidance));
  const groups = groupChains(requests, resumed, steps - 1, denoiser.batch);
  const total = groups.reduce((sum, { index }) => sum + index + 1, 0);
  const lanes = createLanes(model.in_flight ?? 1, groups, (group, i, under) => {
    const at = { batch: i + 1, batches: groups.length, steps, total };
    return walkGroup(model, group, options, under, (index, guesses) => {
      onStep?.({ ...at, step: steps - index, done: ++done, chains: lanes.chains, guesses });
    });
  });
  let done = 0;
  const shape = sampleShape(denoiser);
  for await (const chains of lanes.finished()) {
    for (const { request, position, state } of chains) {
      const frames = state.frames.map((frame) => asTensor(frame, shape));
      yield { request, position, image: asTensor(state.x, shape), frames };
    }
  }
}

/** Walks at most `model.interface.batch` chains down to their images. */
async function walkGroup(
  model: Model,
  { index: first, members }: Group,
  options: SampleOptions,
  under: Lane,
  onStep: (index: number, guesses: () => readonly Guess[]) => void,
): Promise<readonly Chain[]> {
  const { process, signal, grace, frames = 0, resumed } = options;
  const forward = createForward(
    model,
    members.map(({ request }) => request),
    process,
    options,
  );
  const shown = trajectoryIndices(process.timestep_map.length, frames);
  under.chains = members.map(({ request, position }) => ({
    request,
    position,
    state: resumed?.get(position) ?? startChain(request, first, elements(forward.shape)),
  }));
  for (let index = first; index >= 0; index--) {
    signal?.throwIfAborted();
    if (under.stopped) break;
    const steps = under.chains.map((chain) => beginStep(chain, options));
    const results = await orGiveUp(takeSteps(steps, forward.predict), signal, grace);
    forward.forget();
    under.chains = under.chains.map((chain, k) => {
      const { x, guess, kept } = results[k]!;
      const { seed } = chain.request;
      checkFinite(x, 'the image after the step', { process, index, seed, shape: forward.shape });
      const frames = shown.has(index) ? [...chain.state.frames, guess] : chain.state.frames;
      return { ...chain, state: { index: index - 1, x, kept, frames } };
    });
    onStep(index, () =>
      members.map((member, k) => ({ ...member, image: asTensor(results[k]!.guess, forward.shape) })),
    );
  }
  return under.chains;
}

function beginStep(
  { request, state }: Chain,
  { process, sampler, clip_denoised = true }: SampleOptions,
): Step {
  const { index, x, kept } = state;
  const noise = () => normalNoise(request.seed, index, x.length);
  return samplerDef(sampler).step({ process, index, x, options: sampler, kept, clip: clip_denoised, noise });
}
