// Evaluation as the Node API has it: a model and data in, the bounds of its images out.

import {
  CALLBACK,
  CHECKED_LATER,
  type Check,
  checkOptions,
  FLAG,
  isPlain,
  SIGNAL,
  textOf,
} from '../../runtime/arguments.ts';
import type { Bundle } from '../../runtime/bundle.ts';
import type { TakeTurn } from '../../runtime/host/node/turns.ts';
import type { DataOptions } from '../data/data-options.ts';
import type { Dataset } from '../data/dataset.ts';
import { UsageError } from '../errors.ts';
import { type GraphInput, sourceOfInput } from '../graph-input.ts';
import { type Host, silentHost, warnAll } from '../host.ts';
import type { Shard } from '../jobs/shard.ts';
import { LOAD_OPTIONS, type LoadOptions, ownWeights, SEED, settingsOf } from '../options.ts';
import type { Evaluation } from './result.ts';

export type { Bounds, EvaluatedImage } from './job.ts';
export type { BoundMeans, Evaluation } from './result.ts';

/** How a model is opened, as those of `load`, what it is evaluated on, and where what is computed is kept. */
export interface EvaluateOptions
  extends Omit<LoadOptions, 'taps' | 'gradient' | 'classifier'>,
    Pick<DataOptions, 'labels' | 'background' | 'workers'> {
  /** A path as `openData` takes it, or a dataset, which stays open. */
  readonly data: string | Dataset;
  /** The respacing: `50`, `ddim50`, or sections `10,10,20`. Default: every step of the training process. */
  readonly steps?: string | undefined;
  /** Clips the guess at the image to the graph's clip_range. Default true. */
  readonly clip?: boolean | undefined;
  /** What the noise is drawn from. Default 0. */
  readonly seed?: number | undefined;
  /** A safetensors file with `noise.I` [N, ...] for each step I, instead of a seed. */
  readonly noise?: string | undefined;
  /** Only the first so many images. */
  readonly limit?: number | undefined;
  /** Only a part of the images, counted from 0. */
  readonly shard?: Pick<Shard, 'index' | 'count'> | undefined;
  /** A folder that keeps what is computed, so that a call which was stopped can go on. */
  readonly output?: string | undefined;
  /** Goes on with what the folder has. Default true. */
  readonly resume?: boolean | undefined;
  /** When aborted, its reason is thrown after the passes under way. */
  readonly signal?: AbortSignal | undefined;
  /** Told how many of the terms that were missing are computed. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const { taps: _taps, gradient: _gradient, classifier: _classifier, ...OPENING } = LOAD_OPTIONS;

/** Whoever takes an option reads it here: the type checker asks for every one. */
export const EVALUATE_OPTIONS = {
  ...OPENING,
  data: {
    expected: 'a path, or a dataset of openData',
    holds: (value) => (typeof value === 'string' && value !== '') || isDataset(value),
  },
  labels: CHECKED_LATER,
  background: textOf('a colour, such as #ffffff'),
  workers: CHECKED_LATER,
  steps: { expected: "a text, such as '50' or 'ddim50'", holds: (value) => typeof value === 'string' },
  clip: FLAG,
  seed: SEED,
  noise: textOf('the path of a file'),
  limit: {
    expected: 'a whole number above 0',
    holds: (value) => Number.isSafeInteger(value) && Number(value) > 0,
  },
  shard: { expected: '{ index, count }, as in { index: 0, count: 4 }', holds: isShard },
  output: textOf('the path of a folder'),
  resume: FLAG,
  signal: SIGNAL,
  onProgress: CALLBACK,
} as const satisfies { readonly [name in keyof Required<EvaluateOptions>]: Check };

/**
 * Computes the variational bound of images under a model, as `unetc evaluate` does. Rejects with GraphError, UsageError for
 * options that are off, RuntimeError as `load` and `openData`, of kind `output` for the folder, and the signal's reason.
 */
export async function evaluate(
  model: GraphInput | Bundle,
  options: EvaluateOptions,
): Promise<Evaluation & { readonly notes: readonly string[] }> {
  checkOptions('evaluate', options, EVALUATE_OPTIONS, ['data']);
  const weights = ownWeights('evaluate', model, options.weights);
  const { seed, noise, output, resume, renameMap } = options;
  if (seed !== undefined && noise !== undefined) {
    throw new UsageError('seed and noise both say what the noise is; leave one out');
  }
  if (resume === false && output === undefined) {
    throw new UsageError(
      'resume: false begins a folder anew, and without output there is none; leave it out',
    );
  }
  const settings = settingsOf(options);
  const { trust, reference, allowUnexpected, timeout, labels, background, workers } = options;
  const source = await sourceOfInput(model, { ...settings, trust });
  const notes: string[] = [];
  const host = evaluationHost(notes, options);
  if (source.kind === 'graph') warnAll(host, source.warnings, source.label);
  const [{ evaluateModel }, { digestOfInput, weightsOf }] = await Promise.all([
    import('./evaluate.ts'),
    import('../model/weights-input.ts'),
  ]);
  const job = {
    options: { ...settings, reference, allowUnexpected, timeout },
    data: options.data,
    reading: { labels, background, workers },
    steps: options.steps ?? '',
    clip: options.clip ?? true,
    seed: seed ?? 0,
    noise: noise ?? null,
    limit: options.limit ?? null,
    shard: { ...(options.shard ?? { index: 0, count: 1 }), from: null },
    out: output ?? null,
    resume: resume ?? true,
    most_terms: null,
  };
  const evaluated = {
    source,
    open: () => weightsOf(weights, renameMap, source),
    digest: (takeTurn: TakeTurn) => digestOfInput(weights, renameMap, takeTurn),
  };
  return { ...(await evaluateModel(evaluated, job, host)), notes };
}

function evaluationHost(notes: string[], { signal, onProgress }: EvaluateOptions) {
  const host: Host = silentHost(notes);
  return {
    ...host,
    ...(signal === undefined ? {} : { signal }),
    progress: ({ total }: { readonly total: number }) => ({
      update: (done: number) => onProgress?.(done, total),
      finish() {},
    }),
    part() {},
  };
}

function isDataset(value: unknown): boolean {
  return isPlain(value) && typeof value.rows === 'function' && typeof value.name === 'function';
}

function isShard(value: unknown): boolean {
  if (!isPlain(value)) return false;
  const [index, count] = [Number(value.index), Number(value.count)];
  return Number.isInteger(index) && Number.isInteger(count) && index >= 0 && index < count;
}
