// What a run of training is: a model, what it learns from, how, and where it is written.

import type { Tensor } from '../../runtime/tensor.ts';
import type { BatchSource } from '../data/batch.ts';
import type { DataOptions } from '../data/data-options.ts';
import { UsageError } from '../errors.ts';
import type { GraphSource } from '../model/model-source.ts';
import type { ProgramOptions } from '../model/open-program.ts';
import type { ValidationOptions } from './held-out.ts';
import { checkWhole, MOST_STEPS, type TrainingOptions } from './settings.ts';

/** What is written, and how often. */
export interface OutputOptions {
  /** Steps from one checkpoint to the next. Default 10000. */
  readonly save_interval?: number | undefined;
  /** Steps from one picture of samples to the next; 0 for none. Default 10000. */
  readonly sample_interval?: number | undefined;
  /** Checkpoints that stay, the newest; `all`. Default 5. */
  readonly keep?: number | 'all' | undefined;
  /** Goes on with the run that the folder holds; else begins it anew. Default true. */
  readonly resume?: boolean | undefined;
}

export interface OutputSettings {
  readonly save_interval: number;
  readonly sample_interval: number;
  /** Infinity for all. */
  readonly keep: number;
  readonly resume: boolean;
}

export interface TrainJob {
  readonly source: GraphSource;
  /** A folder or a file, or what makes batches; null where a file is replayed. */
  readonly data: string | BatchSource | null;
  readonly data_options: Omit<DataOptions, 'seed' | 'signal'>;
  /** A file that has the batches of all steps with their noise and timesteps. */
  readonly replay: string | null;
  /** What training begins with; null: drawn by the seed, as `init` does. */
  readonly weights: string | ReadonlyMap<string, Tensor> | null;
  readonly allow_unexpected: boolean;
  readonly rename_map: string | undefined;
  /** The state of an optimizer that the run goes on with: of a run of this project, or of the original. */
  readonly optimizer: string | null;
  readonly training: TrainingOptions;
  readonly validation: ValidationOptions;
  readonly output: OutputOptions;
  /** The folder of the run; null: nothing is written. */
  readonly out: string | null;
  readonly device: ProgramOptions;
  /** Computes in float64 without a GPU. */
  readonly reference: boolean;
}

export const OUTPUT_DEFAULTS = {
  save_interval: 10_000,
  sample_interval: 10_000,
  keep: 5,
  resume: true,
} as const;

/** Throws UsageError for an option that is off. */
export function outputSettings(options: OutputOptions): OutputSettings {
  const { save_interval, sample_interval, resume } = {
    save_interval: options.save_interval ?? OUTPUT_DEFAULTS.save_interval,
    sample_interval: options.sample_interval ?? OUTPUT_DEFAULTS.sample_interval,
    resume: options.resume ?? OUTPUT_DEFAULTS.resume,
  };
  const keep = options.keep ?? OUTPUT_DEFAULTS.keep;
  checkWhole('save_interval', save_interval, 1, MOST_STEPS);
  checkWhole('sample_interval', sample_interval, 0, MOST_STEPS);
  if (keep !== 'all') checkWhole('keep', keep, 1, MOST_STEPS);
  return { save_interval, sample_interval, resume, keep: keep === 'all' ? Number.POSITIVE_INFINITY : keep };
}

/** Throws UsageError where a job's parts do not go together. */
export function checkJob({ data, replay, weights, optimizer }: TrainJob): void {
  if (data === null && replay === null) {
    throw new UsageError(
      (option) => `${option('data')}: say what to train with: a folder of pictures or a file of arrays`,
    );
  }
  if (data !== null && replay !== null) {
    throw new UsageError(
      (option) => `${option('data')} and ${option('replay')} both say what the batches are; leave one out`,
    );
  }
  if (optimizer !== null && weights === null) {
    throw new UsageError(
      (option) =>
        `${option('optimizer')}: it goes on from the parameters that it belongs to; give them with ${option('weights')}`,
    );
  }
}
