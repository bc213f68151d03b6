// Training as the Node API has it: `for await (const report of train(graph, { data, … }))`. Options are checked at once, all
// else is loaded and opened when the first step is asked for.
/// <reference lib="esnext.disposable" preserve="true" />

import {
  CHECKED_LATER,
  type Check,
  checkOptions,
  FLAG,
  NUMBER,
  oneOf,
  SIGNAL,
  textOf,
} from '../../runtime/arguments.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import type { TrainedTensors } from '../../runtime/training/training-step.ts';
import type { Batch, BatchSource } from '../data/batch.ts';
import type { DataOptions } from '../data/data-options.ts';
import { UsageError } from '../errors.ts';
import { type GraphInput, graphOfInput } from '../graph-input.ts';
import { silentHost } from '../host.ts';
import { checkpointOf, LOAD_OPTIONS, type LoadOptions, PATTERNS, SEED, settingsOf } from '../options.ts';
import { oneAfterAnother } from './caller-batches.ts';
import type { ValidationOptions } from './held-out.ts';
import type { TrainingPlan } from './plan-run.ts';
import { LR_SCHEDULES } from './rates.ts';
import { TRAINING_DEFAULTS, type TrainingOptions } from './settings.ts';
import type { Training, TrainReport, TrainResult } from './train.ts';
import type { OutputOptions, TrainJob } from './train-job.ts';

export type { BlockMemory, TrainingMemory } from '../compile/training-memory.ts';
export type { TrainingPlan } from './plan-run.ts';
export type { TrainReport, TrainResult } from './train.ts';

/** What a model is trained with, how, and where the run is written. */
export interface TrainOptions
  extends TrainingOptions,
    ValidationOptions,
    OutputOptions,
    Omit<DataOptions, 'seed' | 'signal'>,
    Pick<
      LoadOptions,
      | 'size'
      | 'precision'
      | 'target'
      | 'memory'
      | 'tuning'
      | 'timeout'
      | 'reference'
      | 'allowUnexpected'
      | 'renameMap'
    > {
  /**
   * A path as `openData` takes it, what makes batches of a step's number (`batchesBy`, a dataset), or batches one after the
   * other from step 0 on.
   */
  readonly data?: string | BatchSource | AsyncIterable<Batch> | undefined;
  /** A file that has `K.x_start`, `K.noise`, `K.timesteps` (`K.weights`, `K.y`, `K.low_res`) for each step K, instead of data. */
  readonly replay?: string | undefined;
  /**
   * What to begin with. Default: the checkpoint that stands where the graph does, else weights drawn by the seed, as
   * `initialWeights` draws them.
   */
  readonly weights?: LoadOptions['weights'] | undefined;
  /** The state of an optimizer to go on with: `optNNNNNN.safetensors`, or the original's `opt*.pt`. */
  readonly optimizer?: string | undefined;
  /** The folder of the run. Default: none; nothing is written, and `weights()` has what was learned. */
  readonly output?: string | undefined;
  /** When aborted, the step under way is saved, and its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** A run, which is opened when its first step is asked for. */
export interface TrainingRun extends AsyncIterableIterator<TrainReport, void, undefined> {
  /** Opens the run now: what it runs on, where it begins, and what its user should know. */
  opened(): Promise<
    Pick<Training, 'name' | 'adapter' | 'bytes' | 'from' | 'steps' | 'batch'> & {
      readonly notes: readonly string[];
    }
  >;
  /** What the run would take, with data and weights checked: nothing is opened on the adapter, and nothing written. */
  plan(): Promise<TrainingPlan>;
  /** The parameters by name as they are now; with a rate, its moving average. */
  weights(rate?: number): Promise<ReadonlyMap<string, Tensor>>;
  /** What was done so far. */
  result(): Promise<TrainResult>;
  /** Leaves off, with what was done saved where the run has a folder. */
  return(): Promise<IteratorResult<TrainReport, void>>;
  /** Gives everything back. A run with a folder does so at its end by itself. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const number = (expected: string): Check => ({ ...NUMBER, expected });
const {
  strict: _strict,
  trust: _trust,
  classifier: _classifier,
  taps: _taps,
  gradient: _gradient,
  ...OPENING
} = LOAD_OPTIONS;

/** Whoever takes an option reads it here: the type checker asks for every one. Ranges of numbers are checked with the job. */
export const TRAIN_OPTIONS = {
  ...OPENING,
  data: { expected: 'a path, a dataset, batchesBy(…) or batches as an async iterable', holds: isData },
  val_data: textOf('a path as openData takes it'),
  val_interval: number('a number of steps'),
  val_limit: number('a number of images'),
  replay: textOf('the path of a file'),
  optimizer: textOf('the path of a file'),
  output: textOf('the path of a folder'),
  steps: number('a number of steps, such as 1000'),
  batch: number('a number of samples, such as 16'),
  microbatch: number('a number of samples, such as 4'),
  lr: number('a number, such as 1e-4'),
  weight_decay: number('a number, such as 0'),
  max_grad_norm: number('a number, such as 1'),
  lg_loss_scale: number('a number, such as 20'),
  fp16_scale_growth: number('a number, such as 1e-3'),
  freeze: PATTERNS,
  ema_rate: {
    expected: 'a rate, such as 0.9999, or a list of rates',
    holds: (value) => NUMBER.holds(value) || (Array.isArray(value) && value.every(NUMBER.holds)),
  },
  ema_warmup: FLAG,
  lr_anneal_steps: number('a number of steps'),
  lr_schedule: oneOf(LR_SCHEDULES),
  lr_warmup: number('a number of steps'),
  schedule_sampler: oneOf(['uniform', 'loss-second-moment']),
  seed: SEED,
  log_interval: number('a number of steps'),
  save_interval: number('a number of steps'),
  sample_interval: number('a number of steps, 0 for no pictures'),
  keep: {
    expected: "a number of checkpoints, or 'all'",
    holds: (value) => value === 'all' || NUMBER.holds(value),
  },
  resume: FLAG,
  labels: CHECKED_LATER,
  background: textOf('a colour, such as #ffffff'),
  flip: FLAG,
  crop: CHECKED_LATER,
  workers: CHECKED_LATER,
  signal: SIGNAL,
} as const satisfies { readonly [name in keyof Required<TrainOptions>]: Check };

/**
 * Trains a model as `unetc train` does: each step is a report. The run has a folder where `output` names one, and then goes on
 * with what it holds. Throws UsageError for options that are off; steps reject with GraphError, RuntimeError as `openData` and
 * `load`, of kind `gpu` for a loss that is not finite, of kind `output` for the folder, and the signal's reason.
 */
export function train(graph: GraphInput, options: TrainOptions): TrainingRun {
  checkOptions('train', options, TRAIN_OPTIONS);
  if (options.data === undefined && options.replay === undefined) {
    throw new UsageError(`data: train needs it; give ${TRAIN_OPTIONS.data.expected}`);
  }
  const { size, precision, target, memory, tuning, timeout } = options;
  const device = { ...settingsOf({ size, precision, target, memory, tuning }), timeout };
  const notes: string[] = [];
  let opening: Promise<Training> | null = null;
  let reports: AsyncGenerator<TrainReport, void, undefined> | null = null;
  let closed = false;
  let left = false;
  const closing = new AbortController();
  const signal =
    options.signal === undefined ? closing.signal : AbortSignal.any([options.signal, closing.signal]);
  const open = (): Promise<Training> => {
    if (closed && opening === null)
      return Promise.reject(new UsageError('the run was closed; call train again'));
    opening ??= openRun(graph, { ...options, signal }, device, notes);
    return opening;
  };
  const end = async (): Promise<void> => {
    closed = true;
    // a step that waits for data would wait on
    closing.abort(new UsageError('the run was closed'));
    await reports?.return(undefined);
    await (await opening?.catch(() => null))?.close();
  };
  const ended = async () => {
    if (options.output !== undefined) await end();
    return { done: true, value: undefined } as const;
  };
  return {
    async next() {
      if (closed || left) return { done: true, value: undefined };
      try {
        const opened = await open();
        // whoever asks for two steps at once has one after the other
        reports ??= opened.reports();
        const found = await reports.next();
        return found.done ? ended() : found;
      } catch (error) {
        await end();
        if (error === closing.signal.reason) return { done: true, value: undefined };
        throw error;
      }
    },
    async return() {
      left = true;
      await reports?.return(undefined);
      return ended();
    },
    async opened() {
      const { name, adapter, bytes, from, steps, batch } = await open();
      return { ...{ name, adapter, bytes, from, steps, batch }, notes };
    },
    async plan() {
      const { planRun } = await import('./plan-run.ts');
      return planRun(jobOf(graph, options, device), { signal });
    },
    async weights(rate) {
      if (closed) {
        throw new UsageError(
          'weights: the run has ended and was closed; its weights are in the files of result()',
        );
      }
      return (await open()).read(rate === undefined ? { kind: 'parameters' } : averageOf(rate, options));
    },
    result: async () => (await open()).result(),
    close: end,
    [Symbol.asyncDispose]: end,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function openRun(
  graph: GraphInput,
  options: TrainOptions,
  device: TrainJob['device'],
  notes: string[],
): Promise<Training> {
  const { openTraining } = await import('./train.ts');
  const host = silentHost(notes);
  const { signal } = options;
  return openTraining(jobOf(graph, options, device), signal === undefined ? host : { ...host, signal });
}

function jobOf(graph: GraphInput, options: TrainOptions, device: TrainJob['device']): TrainJob {
  const { steps, batch, microbatch, lr, weight_decay, ema_rate, ema_warmup, seed, log_interval } = options;
  const { lr_anneal_steps, lr_schedule, lr_warmup, max_grad_norm, freeze, schedule_sampler } = options;
  const { lg_loss_scale, fp16_scale_growth } = options;
  const { labels, background, flip, crop, workers, val_data, val_interval, val_limit } = options;
  const { save_interval, sample_interval, keep, resume, replay, optimizer, output, size } = options;
  return {
    source: graphOfInput(graph, typeof size === 'number' ? [size] : size),
    data: dataOf(options.data),
    data_options: { labels, background, flip, crop, workers },
    replay: replay ?? null,
    weights: options.weights ?? checkpointOf(graph),
    allow_unexpected: options.allowUnexpected ?? false,
    rename_map: options.renameMap,
    optimizer: optimizer ?? null,
    training: {
      ...{ steps, batch, microbatch, lr, weight_decay, ema_rate, ema_warmup, seed, log_interval },
      ...{ lr_anneal_steps, lr_schedule, lr_warmup, max_grad_norm, freeze, schedule_sampler },
      ...{ lg_loss_scale, fp16_scale_growth },
    } satisfies { readonly [name in keyof Required<TrainingOptions>]: TrainingOptions[name] },
    validation: { val_data, val_interval, val_limit },
    output: { save_interval, sample_interval, keep, resume },
    out: output ?? null,
    device,
    reference: options.reference ?? false,
  };
}

function averageOf(rate: number, { ema_rate = TRAINING_DEFAULTS.ema_rate }: TrainOptions): TrainedTensors {
  const rates = typeof ema_rate === 'number' ? [ema_rate] : ema_rate;
  const index = rates.indexOf(rate);
  if (index >= 0) return { kind: 'ema', index };
  throw new UsageError(`weights: found the rate ${rate}, expected one of the run's: ${rates.join(', ')}`);
}

function isData(value: unknown): boolean {
  if (typeof value === 'string') return value !== '';
  return typeof value === 'object' && value !== null && (isSource(value) || Symbol.asyncIterator in value);
}

function isSource(value: object): value is BatchSource {
  return 'steps' in value && typeof value.steps === 'function';
}

function dataOf(data: TrainOptions['data']): TrainJob['data'] {
  if (data === undefined) return null;
  return typeof data === 'string' || isSource(data) ? data : oneAfterAnother(data);
}
