// Evaluates a model: process, data, folder, weights, adapter, in that order checked before anything is computed; then the
// terms that are not known yet, and the files that are made of them.

import { performance } from 'node:perf_hooks';
import { checkWritableFolder } from '../../runtime/host/node/files.ts';
import { type TakeTurn, turnsOf } from '../../runtime/host/node/turns.ts';
import { type Denoiser, denoiserOf } from '../../runtime/sampler/denoiser.ts';
import { boundNoise } from '../../runtime/sampler/noise.ts';
import { type DiffusionProcess, diffusionProcess } from '../../runtime/sampler/process.ts';
import { checkRequests, sampleShape } from '../../runtime/sampler/request.ts';
import { elements } from '../../runtime/tensor.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import type { Wanted } from '../data/batch.ts';
import type { Dataset } from '../data/dataset.ts';
import { openData, wantedBy } from '../data/open-data.ts';
import { fileDigest } from '../digest.ts';
import { OptionError } from '../errors.ts';
import type { Identity, Recipe } from '../jobs/manifest.ts';
import { type Meter, watchModel } from '../jobs/meter.ts';
import { evenBatch } from '../jobs/run.ts';
import { shardRange } from '../jobs/shard.ts';
import { interfaceOf, type ModelSource } from '../model/model-source.ts';
import { type OpenedModel, openSource } from '../model/open-model.ts';
import { computeMissing, type Part } from './compute.ts';
import { checkEvaluationFolder, openEvaluationFolder } from './folder.ts';
import { digestOfData } from './images.ts';
import type { EvaluationHost, EvaluationJob } from './job.ts';
import { type NoiseFile, openNoise } from './noise-file.ts';
import { evaluationNotes } from './notes.ts';
import { type Evaluation, keepResult, resultOf } from './result.ts';
import { emptyTerms } from './terms.ts';

export type { Evaluation } from './result.ts';

/** Counted up when the same recipe gives other terms than before. */
const BOUND_VERSION = 1;

/** A model that was read, with its weights, which evaluating opens and closes. */
export interface EvaluatedModel {
  readonly source: ModelSource;
  open(): Promise<WeightSource>;
  /** What tells the weights from others. */
  digest(takeTurn: TakeTurn): Promise<string>;
}

/** A job whose process, data and noise go together. */
interface Plan {
  readonly job: EvaluationJob;
  readonly face: Denoiser;
  readonly process: DiffusionProcess;
  readonly data: Dataset;
  readonly wanted: Wanted;
  /** Images of the whole job, and places of this part. */
  readonly count: number;
  readonly range: readonly [number, number];
}

/**
 * Computes the bound of every image that its data has, but for those whose terms the folder of the job has.
 * @throws RuntimeError, GraphError and UsageError as the parts do; the reason of `host.signal` when it is aborted, after
 *   the passes under way: what was computed by then stays in the folder
 */
export async function evaluateModel(
  model: EvaluatedModel,
  job: EvaluationJob,
  host: EvaluationHost,
): Promise<Evaluation> {
  const { source } = model;
  const face = denoiserOf(interfaceOf(source.graph, 1));
  const process = diffusionProcess(source.graph.diffusion, job.steps);
  checkRequests(face, process, { kind: 'ddim', eta: 0 }, []);
  host.part(job.shard);
  const reading = { ...job.reading, signal: host.signal };
  const wanted = wantedBy(source.graph);
  const data = typeof job.data === 'string' ? await openData(job.data, wanted, reading) : job.data;
  try {
    for (const note of [...data.notes, ...evaluationNotes(source.graph.diffusion, job.options)])
      host.note(note);
    const count = Math.min(job.limit ?? data.count, data.count);
    const plan = { job, face, process, data, wanted, count, range: shardRange(job.shard, count) };
    checkListed(plan);
    return await evaluatePlan(model, plan, host);
  } finally {
    if (typeof job.data === 'string') await data.close();
  }
}

/** Opens what a plan needs, one after the other, and closes what was opened whatever happens. */
async function evaluatePlan(model: EvaluatedModel, plan: Plan, host: EvaluationHost): Promise<Evaluation> {
  const { job, face, process, count, range } = plan;
  const { source } = model;
  const steps = process.timestep_map.length;
  const file = job.noise === null ? null : openNoise(job.noise, steps, sampleShape(face), count);
  try {
    const { out } = job;
    if (out !== null) checkWritableFolder(out);
    const identity = out === null ? null : await identityOf(model, plan, host.signal);
    if (out !== null && identity !== null) checkEvaluationFolder({ ...job, out }, identity);
    const terms = (range[1] - range[0]) * steps;
    const batch = source.kind === 'bundle' ? undefined : (job.options.batch ?? evenBatch(terms));
    const opened = await openSource(source, await model.open(), { ...job.options, batch }, host);
    const meter = watchModel(opened.model);
    try {
      return await evaluateOpened(plan, identity, opened, meter, file, host);
    } finally {
      // A pass that was given up holds the device, which cannot be closed before it ends; the process will be.
      if (meter.pending() === 0) await opened.close();
    }
  } finally {
    file?.close();
  }
}

async function evaluateOpened(
  plan: Plan,
  known: Identity | null,
  opened: OpenedModel,
  meter: Meter,
  file: NoiseFile | null,
  host: EvaluationHost,
): Promise<Evaluation> {
  const { job, face, process, data, wanted, range } = plan;
  const { out } = job;
  const terms = emptyTerms(range[1] - range[0], process.timestep_map.length);
  const identity = known && { ...known, recipe: { ...known.recipe, ...opened.hashes } };
  const folder =
    out === null || identity === null
      ? null
      : await openEvaluationFolder({ ...job, out }, identity, range[0], terms);
  let ended = false;
  try {
    const length = elements(sampleShape(face));
    const part: Part = {
      ...{ process, data, wanted, range, terms, folder },
      face: { ...face, batch: opened.model.interface.batch },
      clip: job.clip,
      noise: ({ image, index }) =>
        file?.read(index, image.place) ??
        boundNoise(job.seed, process.timestep_map[index]!, image.place, length),
    };
    const start = performance.now();
    const computed = await computeMissing(meter.model, part, host);
    const seconds = (performance.now() - start) / 1000;
    const idle = meter.passes() === 0 ? 0 : 1 - meter.busy() / seconds;
    const result = resultOf(part, computed, {
      ...{ job, name: opened.graph.name, adapter: opened.adapter, seconds, idle },
    });
    const kept = out === null || identity === null ? result : keepResult(result, out, identity);
    ended = true;
    return kept;
  } finally {
    folder?.close(ended);
  }
}

/** What is known of a job before its model is open. */
async function identityOf(
  model: EvaluatedModel,
  { job, data, count, face }: Plan,
  signal: AbortSignal,
): Promise<Identity> {
  const takeTurn = turnsOf(signal);
  const recipe: Recipe = {
    bound_version: BOUND_VERSION,
    weights: await model.digest(takeTurn),
    steps: job.steps,
    clip: job.clip ? 'yes' : 'no',
    seed: job.noise === null ? job.seed : null,
    noise: job.noise === null ? null : await fileDigest({ kind: 'input', label: job.noise }, takeTurn),
    channels: face.in_channels,
    size: face.image_size.join('x'),
  };
  return { recipe, job: { samples: count, data: await digestOfData(data, count, signal) } };
}

/** Throws where there are more terms than the caller can list. */
function checkListed({ job, process, range: [first, end] }: Plan): void {
  const terms = (end - first) * process.timestep_map.length;
  if (job.most_terms === null || terms <= job.most_terms) return;
  throw new OptionError(
    'input',
    (option) =>
      `${terms} terms of each kind are more than one JSON document lists (${job.most_terms}); leave ${option('json')} out and ` +
      `read them from bounds.safetensors in the folder of ${option('output')}, or take fewer images with ${option('limit')}`,
  );
}
