// The options of commands that open a model: their words, read into what the engine opens it by.

import { checkValue } from '../../engine/arguments.ts';
import { TIMEOUT } from '../../engine/compile/model-settings.ts';
import type { ModelOptions } from '../../engine/model/open-model.ts';
import { parseAmount } from '../parse.ts';
import { parseSettings, type SettingWords } from './settings.ts';

/** The options of commands that open a model, as they were typed. */
export interface ModelWords extends SettingWords {
  readonly weights: string;
  readonly allowUnexpected?: boolean;
  readonly renameMap?: string;
  readonly reference?: boolean;
  readonly timeout?: string;
  readonly trust?: boolean;
}

/** Reads the words. Throws UsageError for one that is off. */
export function parseModelOptions(words: ModelWords): ModelOptions {
  const { weights, allowUnexpected, renameMap, reference, trust } = words;
  const timeout = words.timeout === undefined ? undefined : parseTimeout(words.timeout);
  return { ...parseSettings(words), weights, allowUnexpected, renameMap, reference, timeout, trust };
}

/** Seconds as they were typed. Throws UsageError. */
export function parseTimeout(text: string): number {
  const timeout = parseAmount(text, '--timeout');
  checkValue('timeout', timeout, TIMEOUT);
  return timeout;
}
