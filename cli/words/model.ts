// The options of commands that open a model: their words, read into what the engine opens it by.

import { TIMEOUT } from '../../engine/compile/model-settings.ts';
import { UsageError } from '../../engine/errors.ts';
import { isCheckpointPath } from '../../engine/graph/checkpoint-path.ts';
import type { ModelOptions } from '../../engine/model/open-model.ts';
import { checkValue } from '../../runtime/arguments.ts';
import { parseAmount } from '../parse.ts';
import { parseSettings, type SettingWords } from './settings.ts';

/** The options of commands that open a model, as they were typed. */
export interface ModelWords extends SettingWords {
  /** Left out where the model is a checkpoint that carries its graph. */
  readonly weights?: string;
  readonly allowUnexpected?: boolean;
  readonly renameMap?: string;
  readonly reference?: boolean;
  readonly timeout?: string;
  readonly trust?: boolean;
}

/** Reads the words of a command for a model, `path`. Throws UsageError for one that is off. */
export function parseModelOptions(path: string, words: ModelWords): ModelOptions {
  const { allowUnexpected, renameMap, reference, trust } = words;
  const weights = weightsOf(path, words.weights);
  const timeout = words.timeout === undefined ? undefined : parseTimeout(words.timeout);
  return { ...parseSettings(words), weights, allowUnexpected, renameMap, reference, timeout, trust };
}

/** The weights that are named, or the model itself where it is a checkpoint. Throws UsageError where there are none. */
export function weightsOf(path: string, weights: string | undefined): string {
  if (weights !== undefined) return weights;
  if (isCheckpointPath(path)) return path;
  throw new UsageError(
    "required option '--weights <W>' not specified: only a checkpoint of unetc train, given as the model, brings its own",
  );
}

/** Seconds as they were typed. Throws UsageError. */
export function parseTimeout(text: string): number {
  const timeout = parseAmount(text, '--timeout');
  checkValue('timeout', timeout, TIMEOUT);
  return timeout;
}
