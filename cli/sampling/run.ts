// Runs a sampling job: inputs, model, requests, samples, files, in that order; nothing is written before all is checked.

import { performance } from 'node:perf_hooks';
import { pathKind } from '../../runtime/files.ts';
import type { ModelInterface } from '../../runtime/model.ts';
import {
  type DiffusionProcess,
  type DiffusionSettings,
  diffusionProcess,
} from '../../runtime/sampler/process.ts';
import { checkRequests, type SampleRequest } from '../../runtime/sampler/request.ts';
import { sample } from '../../runtime/sampler/sample.ts';
import type { Sampler } from '../../runtime/sampler/step.ts';
import type { Context } from '../context.ts';
import type { OpenedModel, OpenModelOptions } from '../open-model.ts';
import { createProgress } from '../progress.ts';
import { countSamples, makeRequests, readInputs } from './inputs.ts';
import type { SampleJob } from './job.ts';
import { checkOutput, openOutput } from './output.ts';

/** What was done, in the words of `--json`. */
export interface SampleResult {
  readonly name: string;
  readonly adapter: string;
  readonly samples: number;
  readonly sampler: Sampler['kind'];
  /** DDIM's noise; null for ddpm. */
  readonly eta: number | null;
  /** Steps of each sample. */
  readonly steps: number;
  readonly batch: number;
  readonly out: string;
  readonly files: readonly string[];
  /** Of sampling alone, without opening the model. */
  readonly seconds: number;
  readonly steps_per_second: number;
}

/** How a model is opened; tests give another. */
export type OpenModel = (path: string, options: OpenModelOptions, context: Context) => Promise<OpenedModel>;

/** The most images in a forward pass where `--batch` does not say. */
const USUAL_BATCH = 8;

/**
 * Makes the samples of `job`.
 * @throws RuntimeError and GraphError as the parts do; the reason of `context.signal` when it is aborted, after the
 *   step under way; what was finished by then stays written
 */
export async function runSampling(job: SampleJob, context: Context, open: OpenModel): Promise<SampleResult> {
  const inputs = readInputs(job);
  const count = countSamples(job, inputs);
  checkOutput(job);
  // A bundle has its batch; a graph is compiled for the one that is asked for.
  const batch = job.batch ?? (pathKind(job.model) === 'folder' ? undefined : evenBatch(count));
  const size = job.size ?? undefined;
  const { weights, strict, reference, quiet } = job;
  const renameMap = job.rename_map ?? undefined;
  const precision = job.precision ?? undefined;
  const plan: Plan = (face, diffusion) => {
    const process = diffusionProcess(diffusion, job.steps);
    const requests = makeRequests(job, inputs, face);
    checkRequests(face, process, job.sampler, requests);
    return { process, requests };
  };
  const check: OpenModelOptions['check'] = (face, { diffusion }) => void plan(face, diffusion);
  const opened = await open(
    job.model,
    { weights, renameMap, strict, precision, reference, quiet, batch, size, check },
    context,
  );
  try {
    return await drawSamples(job, plan(opened.model.interface, opened.graph.diffusion), opened, context);
  } finally {
    await opened.close();
  }
}

/** What is to be drawn from a model. Throws where the job does not fit it. */
type Plan = (
  face: ModelInterface,
  diffusion: DiffusionSettings,
) => { readonly process: DiffusionProcess; readonly requests: readonly SampleRequest[] };

async function drawSamples(
  job: SampleJob,
  { process, requests }: ReturnType<Plan>,
  { model, graph, adapter }: OpenedModel,
  context: Context,
): Promise<SampleResult> {
  const { sampler, quiet, out } = job;
  const steps = process.timestep_map.length;
  const { batch } = model.interface;
  const total = Math.ceil(requests.length / batch) * steps;
  const output = openOutput(job);
  const progress = createProgress(context, { label: 'sampling', unit: 'steps', total, quiet });
  const start = performance.now();
  try {
    const onStep = (at: { readonly batch: number; readonly step: number }): void =>
      progress.update((at.batch - 1) * steps + at.step);
    const options = { process, sampler, signal: context.signal, onStep };
    for await (const one of sample(model, requests, options)) output.add(one);
  } finally {
    progress.finish();
  }
  const seconds = (performance.now() - start) / 1000;
  return {
    name: graph.name,
    adapter,
    samples: requests.length,
    sampler: sampler.kind,
    eta: sampler.kind === 'ddim' ? sampler.eta : null,
    steps,
    batch,
    out,
    files: output.finish(),
    seconds,
    steps_per_second: total / seconds,
  };
}

/** The smallest batch that needs no more passes than `USUAL_BATCH` does: 10 samples are 5 and 5, not 8 and 2. */
function evenBatch(count: number): number {
  return Math.ceil(count / Math.ceil(count / USUAL_BATCH));
}
