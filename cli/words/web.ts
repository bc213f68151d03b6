// What `unetc web` is asked to write: the words of the command line, checked as far as words can be.

import type { PageJob } from '../../engine/web/write-page.ts';
import { parseLabel } from '../parse.ts';
import { type ClassifierWords, parseClassifier } from './classifier.ts';
import { type ModelWords, parseModelOptions } from './model.ts';
import { weightSettings } from './weights.ts';

/** The options of the command as they were typed. */
export interface WebWords extends ModelWords, ClassifierWords {
  readonly output: string;
  readonly dtype?: string;
  readonly shardSize?: string;
  readonly names?: string;
  readonly nullClass?: string;
}

/** Throws UsageError for a word that is off. */
export function parsePage(model: string, words: WebWords): PageJob {
  return {
    model,
    options: parseModelOptions(model, words),
    ...parseClassifier(words),
    stored: weightSettings(words),
    names: words.names ?? null,
    null_class: words.nullClass === undefined ? null : parseLabel(words.nullClass, '--null-class'),
    output: words.output,
  };
}
