// What a run is made of before a device is opened: settings, batches, the weights that it begins with, and what tells it from
// other runs.

import { trainedAs } from '../../compiler/graph/explicit.ts';
import { turnsOf } from '../../runtime/host/node/turns.ts';
import { type Closable, closeAll } from '../close-all.ts';
import { frozenBy } from '../compile/freeze.ts';
import { checkLoss } from '../compile/model-settings.ts';
import type { BatchSource } from '../data/batch.ts';
import type { Dataset } from '../data/dataset.ts';
import { openData, wantedBy } from '../data/open-data.ts';
import type { Skipped } from '../data/picture-files.ts';
import { sha256Of } from '../digest.ts';
import { UsageError } from '../errors.ts';
import { beginningDigests, checkContinued, type OpenedWeights, openBeginning } from './begin.ts';
import { dataIdentity } from './data-identity.ts';
import { type HeldOut, openHeldOut, validationSettings } from './held-out.ts';
import { initialState, type LoopState } from './loop.ts';
import { openReplay, type Replay } from './replay.ts';
import type { RunRecipe } from './run-manifest.ts';
import { type TrainingSettings, trainingSettings } from './settings.ts';
import { drawnSteps, type StepSource } from './step-source.ts';
import { checkJob, outputSettings, type TrainJob } from './train-job.ts';

export interface RunMaterial {
  readonly settings: TrainingSettings;
  /** Steps of the diffusion process. */
  readonly timesteps: number;
  /** Names of parameters that stay as they are, in checkpoint order. */
  readonly frozen: readonly string[];
  readonly beginning: OpenedWeights;
  readonly recipe: RunRecipe;
  /** What is never trained with; null where nothing is held out. */
  readonly held: HeldOut | null;
  /** Images alone, with what belongs to them. */
  readonly data: BatchSource;
  /** What its user should know. */
  readonly notes: readonly string[];
  readonly nameOf: ((sample: number) => string) | undefined;
  steps(from: number): StepSource;
  /** A run at step 0. */
  begin(): LoopState;
  /** Files of the data that were left out until now. */
  skipped(): { readonly count: number; readonly files: readonly Skipped[] };
  close(): Promise<void>;
}

/** Counted up when the same recipe gives other parameters than before. */
const TRAINING_VERSION = 1;

/** Rejects with UsageError, RuntimeError('input', 'weights'). */
export async function openMaterial(job: TrainJob, signal: AbortSignal): Promise<RunMaterial> {
  const { graph } = job.source;
  checkJob(job);
  checkLoss(graph);
  // what a file of steps says of the batch is not known yet
  const half = job.device.precision === 'f16';
  if (job.replay === null) {
    const { log_interval } = trainingSettings(job.training, { half });
    validationSettings(job.validation, log_interval);
  }
  outputSettings(job.output);
  const batches = await openBatches(job, signal);
  let held: HeldOut | null = null;
  const closeBatches = () => closeAll(held?.data ?? null, batches);
  try {
    const { usual, recipe, notes, nameOf, data, skipped } = batches;
    const settings = trainingSettings(job.training, { ...usual, half });
    checkReplayed(batches.replay, job, settings);
    const frozen = frozenBy(settings.freeze, graph);
    const { optimizer, rename_map } = job;
    if (optimizer !== null) checkContinued({ file: optimizer, rename_map }, graph, settings, frozen);
    held = await openHeld(job, settings, batches.dataset, signal);
    const beginning = await openBeginning(job, graph, settings.seed);
    const digests = await orClosed(beginning, beginningDigests(job, turnsOf(signal)));
    const timesteps = graph.diffusion.steps;
    const { seed, batch, lr, weight_decay, lr_anneal_steps, schedule_sampler, log_interval } = settings;
    return {
      ...{ settings, timesteps, frozen, beginning, held, data, nameOf, skipped },
      recipe: {
        training_version: TRAINING_VERSION,
        graph: sha256Of(trainedAs(graph)),
        ...digests,
        ...recipe,
        ...{ seed, batch, lr, weight_decay, lr_anneal_steps, schedule_sampler, log_interval },
        ema_rates: settings.ema_rates.join(','),
        ...laterSettings(settings),
        ...(held?.recipe ?? NOTHING_HELD),
      },
      notes: [...notes, ...(held?.data.notes ?? []), ...beginning.notes],
      steps: (from) =>
        batches.replay?.source(from, batch) ??
        drawnSteps(data, wantedBy(graph), { seed, batch, timesteps }, { from, signal }),
      begin: () => initialState(settings, timesteps),
      close: () => closeAll(beginning, { close: closeBatches }),
    };
  } catch (error) {
    await closeBatches();
    throw error;
  }
}

/** As runs of earlier versions. */
const NOTHING_HELD: RunRecipe = { val_data: null, val_interval: null, val_images: null };

async function openHeld(
  { source, validation, data_options }: TrainJob,
  { log_interval }: TrainingSettings,
  dataset: Dataset | null,
  signal: AbortSignal,
): Promise<HeldOut | null> {
  const settings = validationSettings(validation, log_interval);
  if (settings === null) return null;
  return openHeldOut(settings, wantedBy(source.graph), { ...data_options, signal }, dataset);
}

/** Settings that runs of earlier versions do not know: null stands for what those did. */
function laterSettings(settings: TrainingSettings): RunRecipe {
  const { lr_schedule, lr_anneal_steps, lr_warmup, ema_warmup, max_grad_norm, freeze, half } = settings;
  const usual = lr_anneal_steps > 0 ? 'linear' : 'constant';
  return {
    lr_schedule: lr_schedule === usual ? null : lr_schedule,
    lr_warmup: lr_warmup === 0 ? null : lr_warmup,
    ema_warmup: ema_warmup ? 'yes' : null,
    max_grad_norm: max_grad_norm ?? null,
    freeze: freeze.length === 0 ? null : freeze.join(','),
    precision: half === null ? null : 'f16',
    lg_loss_scale: half?.lg_loss_scale ?? null,
    fp16_scale_growth: half?.fp16_scale_growth ?? null,
  };
}

interface OpenedBatches {
  readonly usual: { readonly batch?: number; readonly steps?: number };
  readonly recipe: RunRecipe;
  readonly notes: readonly string[];
  readonly nameOf?: RunMaterial['nameOf'];
  readonly data: BatchSource;
  /** What was opened by its path; null for a file of steps, and for batches of the caller. */
  readonly dataset: Dataset | null;
  readonly replay: Replay | null;
  readonly skipped: RunMaterial['skipped'];
  close(): Promise<void>;
}

const NOTHING_SKIPPED: RunMaterial['skipped'] = () => ({ count: 0, files: [] });

async function openBatches(job: TrainJob, signal: AbortSignal): Promise<OpenedBatches> {
  const { source, data, replay: file, data_options, training } = job;
  const wanted = wantedBy(source.graph);
  if (file !== null) {
    const replay = openReplay(file, wanted, source.graph);
    const { batch, steps } = replay;
    return {
      ...{ replay, data: replay.data, dataset: null, notes: [], skipped: NOTHING_SKIPPED },
      usual: { batch, steps },
      recipe: { data: await orClosed(replay, dataIdentity(file, 'replay', turnsOf(signal))) },
      close: async () => replay.close(),
    };
  }
  if (typeof data !== 'string') {
    const recipe = { data: 'batches of the caller' };
    return {
      ...{ recipe, usual: {}, notes: [], skipped: NOTHING_SKIPPED },
      data: data!,
      ...{ dataset: null, replay: null },
      async close() {},
    };
  }
  const opened: Dataset = await openData(data, wanted, { ...data_options, seed: training.seed ?? 0, signal });
  const { flip = false, crop = 'centre', labels = 'names', background = null } = data_options;
  return {
    ...{ usual: {}, notes: opened.notes, data: opened, dataset: opened, replay: null },
    nameOf: opened.name,
    recipe: {
      data: await orClosed(opened, dataIdentity(data, opened.kind, turnsOf(signal))),
      ...{ images: opened.count, flip: flip ? 'yes' : 'no', crop, background },
      labels: opened.classes === null ? null : labels,
    },
    skipped: opened.skipped,
    close: opened.close,
  };
}

/** What `use` gives; where it fails, what was opened for it is closed. */
async function orClosed<T>(opened: Closable, use: Promise<T>): Promise<T> {
  try {
    return await use;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Throws UsageError where a run of a file's steps is asked for more than the file has. */
function checkReplayed(
  replay: Replay | null,
  { replay: file }: TrainJob,
  { steps, batch }: TrainingSettings,
): void {
  if (replay === null) return;
  if (steps > replay.steps) {
    throw new UsageError(
      (option) =>
        `${option('steps')}: found ${steps}, and ${file} has ${replay.steps} steps; ask for at most as many`,
    );
  }
  if (batch !== replay.batch) {
    throw new UsageError(
      (option) =>
        `${option('batch')}: found ${batch}, and the steps of ${file} have ${replay.batch} samples; leave it out`,
    );
  }
}
