// A step of training as callers ask for it, in the words of the command line and of the Node API, and as the compiler takes it.

import type { UpdateOptions } from '../../compiler/schedule/update.ts';
import { UsageError } from '../errors.ts';

/** How a step of training is compiled. */
export interface TrainingStepSettings extends UpdateOptions {
  /** Patterns of parameters that stay as they are, beside those of `frozen`. */
  readonly freeze?: readonly string[] | undefined;
}

/** As callers give it. */
export interface TrainingStepRequest {
  /** Compiles a whole step of training: losses, gradients, AdamW, moving averages. Default false. */
  readonly train?: boolean | undefined;
  /** With `train`: moving averages of the parameters, 0 to 16. Default 1. */
  readonly averages?: number | undefined;
  /** With `train`: adds up the gradients of microbatches. Default false. */
  readonly accumulate?: boolean | undefined;
  /** With `train`: for gradients of a largest norm, so that no parameter changes before all of them are known. Default false. */
  readonly clip_gradients?: boolean | undefined;
  /** With `train`: parameters that stay as they are, by patterns as of `train`. Default: none. */
  readonly freeze?: string | readonly string[] | undefined;
}

/** The settings of a request; undefined where nobody asks. Throws UsageError for an option that goes with `train` alone. */
export function trainingStepOf(request: TrainingStepRequest): TrainingStepSettings | undefined {
  const { train = false, averages = 1, accumulate = false, clip_gradients = false, freeze } = request;
  if (train) {
    const patterns = typeof freeze === 'string' ? [freeze] : freeze;
    const frozen = patterns === undefined ? {} : { freeze: patterns };
    return { averages, accumulates: accumulate, waits: clip_gradients, ...frozen };
  }
  const { averages: given, accumulate: adds, clip_gradients: clips } = request;
  refuseAlone({ averages: given, accumulate: adds, clip_gradients: clips, freeze });
  return undefined;
}

/** Throws UsageError for an option that goes with `train` alone, where one is given without it. */
export function refuseAlone(options: Readonly<Record<string, unknown>>): void {
  const alone = Object.entries(options).find(([, value]) => value !== undefined && value !== false);
  if (alone === undefined) return;
  throw new UsageError(
    (option) => `${option(alone[0])}: it is of a step of training; give ${option('train')}, too`,
  );
}
