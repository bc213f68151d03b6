// What a page is asked to draw, as plain data: made by the form or by a link, sent to the worker, and checked as a whole.

import { RuntimeError } from '../runtime/errors.ts';
import { dequantize } from '../runtime/image/pixels.ts';
import { diffusionProcess } from '../runtime/sampler/process.ts';
import {
  checkClassifierGuidance,
  checkGuidance,
  checkRequests,
  type Guidance,
  lowResShape,
  type SampleRequest,
  takesLabels,
} from '../runtime/sampler/request.ts';
import { SAMPLER_KINDS, type Sampler, samplerDef, samplerOf } from '../runtime/sampler/samplers/index.ts';
import { elements } from '../runtime/tensor.ts';
import type { PageModel } from './page-model.ts';

export interface Job {
  readonly seeds: readonly number[];
  /** Cycled over the seeds; empty where the model takes none. */
  readonly labels: readonly number[];
  readonly sampler: Sampler;
  /** As `--steps` of `unetc sample`; empty for all of the process. */
  readonly steps: string;
  /** How far classifier-free guidance goes; null for the model's own prediction. */
  readonly guidance: number | null;
  /** How far the classifier moves a step; null where none guides. */
  readonly classifier_scale: number | null;
  /** The small picture of a model that upsamples: bytes, [C, ...space] row-major; null where there is none. */
  readonly low_res: Uint8Array | null;
}

/** The most pictures of one run: each is a canvas. */
export const MOST_PICTURES = 256;

/** Steps of the default, in the order of preference, for the first sampler that the process allows. */
const USUAL = [
  { kind: 'dpmpp', steps: 15 },
  { kind: 'ddim', steps: 50 },
  { kind: 'ddpm', steps: 250 },
] as const;

/** What a page that was just opened offers to draw. */
export function usualJob({ denoiser, diffusion, classifier }: PageModel): Job {
  const classes = classesOf(denoiser);
  const { kind, steps } = USUAL.find((one) => isAllowed(one, diffusion)) ?? { kind: 'ddpm', steps: '' };
  const count = classes === null ? 8 : Math.min(10, classes);
  return {
    seeds: Array.from({ length: denoiser.low_res_size === null ? count : 4 }, (_, i) => i),
    labels: classes === null ? [] : Array.from({ length: count }, (_, i) => i),
    sampler: samplerOf(kind),
    steps: String(steps),
    guidance: null,
    classifier_scale: classifier?.scale ?? null,
    low_res: null,
  };
}

function isAllowed({ kind, steps }: (typeof USUAL)[number], diffusion: PageModel['diffusion']): boolean {
  try {
    const sampler = samplerOf(kind);
    samplerDef(sampler).check(diffusionProcess(diffusion, String(steps)), sampler);
    return true;
  } catch {
    return false;
  }
}

/** How many classes labels may name: the model's, or those of the classifier that guides it; null where there are none. */
export function classesOf(denoiser: PageModel['denoiser']): number | null {
  if (!takesLabels(denoiser)) return null;
  const { num_classes, classifier_classes } = denoiser;
  return Math.min(num_classes ?? Number.POSITIVE_INFINITY, classifier_classes ?? Number.POSITIVE_INFINITY);
}

/** What a class is called. */
export function className({ names }: PageModel, label: number): string {
  return names?.[label] ?? String(label);
}

/** The samples of a job, in the sampler's words. */
export function requestsOf(job: Job): readonly SampleRequest[] {
  const { seeds, labels, low_res } = job;
  const values = low_res === null ? null : Float32Array.from(low_res, dequantize);
  return seeds.map((seed, i) => ({
    seed,
    ...(labels.length === 0 ? {} : { label: labels[i % labels.length]! }),
    ...(values === null ? {} : { low_res: values }),
  }));
}

/** Classifier-free guidance of a job, where it asks for some. */
export function guidanceOf({ null_class }: PageModel, { guidance }: Job): Guidance | undefined {
  return guidance === null || null_class === null ? undefined : { scale: guidance, null_class };
}

/**
 * Checks a job against its model. Throws RuntimeError('input') in the sampler's own words, or for what only a page limits.
 */
export function checkJob(model: PageModel, job: Job): void {
  const { denoiser, diffusion } = model;
  if (!SAMPLER_KINDS.includes(job.sampler.kind)) samplerDef(job.sampler);
  if (job.seeds.length > MOST_PICTURES) {
    throw new RuntimeError(
      'input',
      `${job.seeds.length} pictures are asked for; a page draws at most ${MOST_PICTURES} at a time, and unetc sample any number`,
    );
  }
  const shape = lowResShape(denoiser);
  if (shape !== null && job.low_res === null) {
    throw new RuntimeError('input', `choose a picture first: this model enlarges one of ${sizeOf(shape)}`);
  }
  if (shape !== null && job.low_res?.length !== elements(shape)) {
    throw new RuntimeError(
      'input',
      `the picture has ${job.low_res?.length} values, and ${sizeOf(shape)} takes ${elements(shape)}`,
    );
  }
  const process = diffusionProcess(diffusion, job.steps);
  checkRequests(denoiser, process, job.sampler, requestsOf(job));
  const guidance = guidanceOf(model, job);
  if (guidance !== undefined) checkGuidance(denoiser, guidance);
  checkClassifierGuidance(denoiser, job.classifier_scale ?? undefined, guidance);
}

/** [C, H, W] as people say it: width x height. */
function sizeOf([, ...space]: readonly number[]): string {
  return `${space.toReversed().join('x')} pixels`;
}
