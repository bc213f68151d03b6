// Runs a sampling job: inputs, model, requests, folder, samples, files, in that order; nothing is written before all is
// checked, and what was written before is not computed again.

import { performance } from 'node:perf_hooks';
import { pathKind } from '../../runtime/host/node/files.ts';
import { turnsOf } from '../../runtime/host/node/turns.ts';
import type { ModelInterface } from '../../runtime/model.ts';
import { type Denoiser, denoiserOf } from '../../runtime/sampler/denoiser.ts';
import { NotFinite } from '../../runtime/sampler/finite.ts';
import {
  type DiffusionProcess,
  type DiffusionSettings,
  diffusionProcess,
} from '../../runtime/sampler/process.ts';
import {
  checkClassifierGuidance,
  checkGuidance,
  checkRequests,
  type SampleRequest,
  sampleShape,
} from '../../runtime/sampler/request.ts';
import { optionsOf, type Sampler } from '../../runtime/sampler/samplers/index.ts';
import { OptionError, type Spelling } from '../errors.ts';
import type { Host } from '../host.ts';
import type { GuidedOptions } from '../model/open-guided.ts';
import type { OpenedModel } from '../model/open-model.ts';
import { drawSamples } from './draw.ts';
import { checkFolder, openFolder } from './folder.ts';
import { recipeOf, recipeOfJob, samplesOf, weightDigests } from './identity.ts';
import { countSamples, lowResNames, makeRequests, readInputs } from './inputs.ts';
import type { SampleJob } from './job.ts';
import { type Entry, type Identity, MANIFEST_FORMAT, writeManifest } from './manifest.ts';
import { type Meter, watchModel } from './meter.ts';
import { rangesOf } from './ranges.ts';
import { shardRange } from './shard.ts';
import { checkOutput, openStore } from './store.ts';
import type { JobHost } from './watch.ts';

/** What was done, in the words of `--json`. */
export interface SampleResult {
  readonly name: string;
  readonly adapter: string;
  /** Samples of this job, of its shard where it has shards. */
  readonly samples: number;
  /** Samples that were there before, from a run that was stopped. */
  readonly resumed: number;
  readonly shard: { readonly index: number; readonly count: number; readonly from: string | null };
  /** The seeds of this shard, as ranges. */
  readonly seeds: string;
  readonly sampler: Sampler['kind'];
  /** DDIM's noise; null for the others. */
  readonly eta: number | null;
  /** Steps of each sample. */
  readonly steps: number;
  readonly batch: number;
  readonly out: string;
  readonly files: readonly string[];
  readonly manifest: string;
  /** Of sampling alone, without opening the model. */
  readonly seconds: number;
  readonly steps_per_second: number;
  /** The part of that time in which the adapter had no forward pass. */
  readonly idle: number;
}

/** How a model is opened; tests give another. */
export type OpenModel = (path: string, options: GuidedOptions, host: Host) => Promise<OpenedModel>;

/** The most images in a forward pass where the job does not say. */
const USUAL_BATCH = 8;

/** What is to be drawn from a model by this shard. */
interface Plan {
  readonly process: DiffusionProcess;
  readonly requests: readonly SampleRequest[];
  /** What the manifest calls the low-resolution image of each. */
  readonly names: readonly (string | undefined)[];
  /** Of a sample as it is written, [C, ...space]. */
  readonly shape: readonly number[];
}

/**
 * Makes the samples of `job` that are not there yet.
 * @throws RuntimeError and GraphError as the parts do; the reason of `host.signal` when it is aborted, after the
 *   step under way; what was finished by then stays written, and the chains on their way are saved
 */
export async function runSampling(job: SampleJob, host: JobHost, open: OpenModel): Promise<SampleResult> {
  const inputs = readInputs(job);
  const [first, end] = shardRange(job.shard, countSamples(job, inputs));
  checkOutput(job);
  const batch = job.options.batch ?? usualBatch(job, end - first);
  const takeTurn = turnsOf(host.signal);
  let known: Identity | null = null;
  const identify = async (): Promise<Identity> => {
    known ??= { recipe: recipeOfJob(job, await weightDigests(job, takeTurn)), job: samplesOf(job, inputs) };
    return known;
  };
  const plan = (model: ModelInterface, diffusion: DiffusionSettings): Plan => {
    const face = denoiserOf(model);
    const process = diffusionProcess(diffusion, job.steps);
    const requests = makeRequests(job, inputs, face);
    checkClassifierGuidance(face, scaleOf(job), job.guidance ?? undefined);
    checkRequests(face, process, job.sampler, requests);
    if (job.guidance !== null) checkGuidance(face, job.guidance);
    const shape = writtenShape(job, face);
    const names = lowResNames(inputs, requests.length).slice(first, end);
    return { process, requests: requests.slice(first, end), names, shape };
  };
  const check: GuidedOptions['check'] = async (face, { diffusion }) => {
    plan(face, diffusion);
    checkFolder(job, await identify());
  };
  host.part(job.shard);
  const opened = await open(job.model, { ...job.options, batch, check }, host);
  const meter = watchModel(opened.model);
  try {
    const planned = plan(opened.model.interface, opened.graph.diffusion);
    const own = await identify();
    const identity = { ...own, recipe: recipeOf(own.recipe, opened.hashes, planned.shape) };
    return await makeSamples(job, planned, identity, opened, meter, host).catch((error) =>
      explainBad(error, job, opened, host),
    );
  } finally {
    // A pass that was given up holds the device, which cannot be closed before it ends; the process will be.
    if (meter.pending() === 0) await opened.close();
  }
}

/** @throws RuntimeError('input') where an image cannot be made so many times smaller */
function writtenShape({ downscale }: SampleJob, face: Denoiser): readonly number[] {
  const [channels, ...space] = sampleShape(face);
  if (space.every((size) => size % downscale === 0)) {
    return [channels!, ...space.map((size) => size / downscale)];
  }
  throw new OptionError(
    'input',
    (option) =>
      `${option('downscale')} ${downscale}: images of ${space.join('x')} cannot be made ${downscale} times smaller; use a factor of all sizes`,
  );
}

/** Adds to a value that is not finite what float16 has to do with it and, with `debug_nan`, which kernel made the first. */
async function explainBad(
  error: unknown,
  { debug_nan, options }: SampleJob,
  { findBadKernel, precision }: OpenedModel,
  host: Host,
): Promise<never> {
  if (!(error instanceof NotFinite) || host.signal.aborted) throw error;
  const { message, inputs } = error;
  const explained = (lines: readonly ((option: Spelling) => string)[]) =>
    new OptionError('gpu', (option) => [message, ...lines.map((line) => line(option))].join('\n'));
  const wider = (option: Spelling): string =>
    'float16 ends at 65504: what overflows there float32 computes, ' +
    `${options.precision === 'f16' ? '' : 'compile the graph again with '}${option('precision')} f32`;
  // what a step made of finite values no kernel made, in whatever it stores
  const maybeWider = precision === 'f16' && inputs !== undefined ? [wider] : [];
  if (!debug_nan) throw maybeWider.length === 0 ? error : explained(maybeWider);
  if (findBadKernel === undefined) {
    const none = (option: Spelling) =>
      `${option('debug_nan')} looks into kernels; without a GPU there are none`;
    throw explained([none, ...maybeWider]);
  }
  const found = inputs === undefined ? null : await findBadKernel(inputs);
  if (found === null) {
    const lost =
      'every kernel of that pass wrote finite values: they were lost in the arithmetic of the step';
    throw explained([() => lost]);
  }
  throw explained([
    () => `the first kernel that made one: ${found.told}`,
    ...(found.overflow ? [wider] : []),
  ]);
}

async function makeSamples(
  job: SampleJob,
  { process, requests, names, shape }: Plan,
  identity: Identity,
  opened: OpenedModel,
  meter: Meter,
  host: JobHost,
): Promise<SampleResult> {
  const { out, shard, sampler } = job;
  const seeds = requests.map(({ seed }) => seed);
  const takeTurn = turnsOf(host.signal);
  const folder = await openFolder(job, identity, seeds, (state) => openStore(job, state), takeTurn);
  const { store, done, ended } = folder;
  let whole = false;
  try {
    const missing = requests.filter(({ seed }) => !done.has(seed));
    const start = performance.now();
    const { made, steps } = await drawSamples(job, process, missing, folder, meter.model, host);
    const seconds = (performance.now() - start) / 1000;
    const entries = seeds.map((seed, k) => ({
      ...(made.get(seed) ?? done.get(seed)!),
      ...(names[k] === undefined ? {} : { low_res: names[k] }),
    }));
    const files = ended?.files ?? (await store.finish(entries, shape, host.signal));
    const samples = entries.map((entry) => (job.format === 'png' ? entry : withoutPart(entry)));
    const head = { format: MANIFEST_FORMAT, version: 1 } as const;
    const { index, count } = shard;
    const manifest = writeManifest(out, {
      ...head,
      ...identity,
      shard: { index, count },
      adapter: opened.adapter,
      samples,
      files: [...files],
    });
    whole = true;
    const own = samples.flatMap(({ file }) => (file === undefined ? [] : [file]));
    return {
      name: opened.graph.name,
      adapter: opened.adapter,
      samples: samples.length,
      resumed: done.size,
      shard,
      seeds: rangesOf(seeds),
      sampler: sampler.kind,
      eta: optionsOf(sampler).eta ?? null,
      steps: process.timestep_map.length,
      batch: opened.model.interface.batch,
      out,
      files: [...own, ...files.map(({ file }) => file)].map((file) => `${out}/${file}`),
      manifest,
      seconds,
      steps_per_second: steps / seconds,
      idle: meter.passes() === 0 ? 0 : 1 - meter.busy() / seconds,
    };
  } finally {
    folder.close(whole);
  }
}

/** Where one file holds all samples, the parts are gone. */
function withoutPart({ file: _, sha256: _hash, ...entry }: Entry): Entry {
  return entry;
}

/** The classifier's scale, where one guides the model. */
export function scaleOf({ options, classifier_scale }: Pick<SampleJob, 'options' | 'classifier_scale'>) {
  return options.classifier === undefined ? undefined : classifier_scale;
}

/** What a graph is compiled for where the job does not say; bundles have their batch, and a graph beside one takes that. */
export function usualBatch(
  { model, options }: Pick<SampleJob, 'model' | 'options'>,
  count: number,
): number | undefined {
  const files = [model, ...(options.classifier === undefined ? [] : [options.classifier.model])];
  return files.some((file) => pathKind(file) === 'folder') ? undefined : evenBatch(count);
}

/** The smallest batch that needs no more passes than `USUAL_BATCH` does: 10 samples are 5 and 5, not 8 and 2. */
export function evenBatch(count: number): number {
  return count === 0 ? 1 : Math.ceil(count / Math.ceil(count / USUAL_BATCH));
}
