// The options of commands that open a model: their words, read into what the engine opens it by.

import type { ModelOptions } from '../../engine/model/open-model.ts';
import { parseSettings, type SettingWords } from './settings.ts';

/** The options of commands that open a model, as they were typed. */
export interface ModelWords extends SettingWords {
  readonly weights: string;
  readonly allowUnexpected?: boolean;
  readonly renameMap?: string;
  readonly reference?: boolean;
}

/** Reads the words. Throws UsageError for one that is off. */
export function parseModelOptions(words: ModelWords): ModelOptions {
  const { weights, allowUnexpected, renameMap, reference } = words;
  return { ...parseSettings(words), weights, allowUnexpected, renameMap, reference };
}
