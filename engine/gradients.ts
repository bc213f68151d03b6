// Losses and gradients of a training batch in memory, as the Node API computes them.

import { CHECKED_LATER, type Check, checkOptions, isPlain, shown } from '../runtime/arguments.ts';
import type { Bundle } from '../runtime/bundle.ts';
import type { TrainingBatch } from '../runtime/training/loss-inputs.ts';
import { UsageError } from './errors.ts';
import { type GraphInput, sourceOfInput } from './graph-input.ts';
import { silentHost, warnAll } from './host.ts';
import { LOAD_OPTIONS, type LoadOptions, ownWeights, settingsOf } from './options.ts';
import type { BatchGradients } from './training/gradients-of-batch.ts';

export type { TrainingBatch } from '../runtime/training/loss-inputs.ts';

/** As those of `load`, without what a training batch has no use for: batch and size are those of `x_start`. */
export type GradientsOptions = Omit<LoadOptions, 'batch' | 'size' | 'taps' | 'gradient' | 'classifier'>;

/** What a training batch gives. */
export interface Gradients extends BatchGradients {
  /** What was odd about the graph, and what was done to make the weights fit. */
  readonly notes: readonly string[];
}

const {
  batch: _batch,
  size: _size,
  taps: _taps,
  gradient: _gradient,
  classifier: _classifier,
  ...OPTIONS
} = LOAD_OPTIONS;

/** Whoever takes an option reads it here: the type checker asks for every one. */
export const GRADIENTS_OPTIONS = OPTIONS satisfies {
  readonly [name in keyof Required<GradientsOptions>]: Check;
};

const BATCH = {
  x_start: CHECKED_LATER,
  noise: CHECKED_LATER,
  timesteps: CHECKED_LATER,
  weights: CHECKED_LATER,
  y: CHECKED_LATER,
  low_res: CHECKED_LATER,
  dropout: { expected: '{ seed, step }, as in { seed: 0, step: 0 }', holds: isPlain },
} as const satisfies { readonly [name in keyof Required<TrainingBatch>]: Check };

/**
 * The losses and gradients of one training batch, as `unetc gradients` computes them: float32, the same bytes in every call on
 * the same adapter. A bundle is one that was compiled with gradients. Rejects with GraphError, RuntimeError of kind `bundle`,
 * `weights`, `input` (with every tensor that does not fit), `adapter` or `gpu`, and UsageError for options that are off.
 */
export async function gradients(
  model: GraphInput | Bundle,
  batch: TrainingBatch,
  options: GradientsOptions = {},
): Promise<Gradients> {
  checkOptions('gradients', options, GRADIENTS_OPTIONS);
  const weights = ownWeights('gradients', model, options.weights);
  checkBatchKeys(batch);
  const settings = { ...settingsOf(options), gradients: true, dropout: batch.dropout !== undefined };
  const { computeBatch } = await import('./training/gradients-of-batch.ts');
  const notes: string[] = [];
  const host = silentHost(notes);
  const source = await sourceOfInput(model, { ...settings, trust: options.trust });
  if (source.kind === 'graph') warnAll(host, source.warnings, source.label);
  return { ...(await computeBatch(source, batch, { ...options, ...settings, weights }, host)), notes };
}

function checkBatchKeys(batch: unknown): asserts batch is TrainingBatch {
  if (!isPlain(batch)) {
    throw new UsageError(`batch: found ${shown(batch)}, expected { x_start, noise, timesteps }`);
  }
  checkOptions('batch', batch, BATCH);
}
