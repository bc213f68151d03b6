// What `unetc encode` is asked to do: the words of the command line, checked as far as words can be.

import type { EncodeJob } from '../../engine/jobs/encode.ts';
import { parseNumbers } from '../../engine/jobs/ranges.ts';
import { parseCount } from '../parse.ts';
import { type ClassifierWords, parseClassifier } from './classifier.ts';
import { type ModelWords, parseModelOptions } from './model.ts';
import { parseGuidance, parseSteps, type SampleWords } from './sample.ts';

/** The options of the command as they were typed. */
export interface EncodeWords
  extends ModelWords,
    ClassifierWords,
    Pick<SampleWords, 'class' | 'lowRes' | 'steps' | 'clip' | 'guidance' | 'nullClass'> {
  readonly images: string;
  readonly output: string;
  readonly refine?: string;
}

const USUAL_REFINE = 10;
const MOST_REFINE = 1000;

/** @throws UsageError for a word that is off, and for words that do not go together */
export function parseEncodeJob(model: string, words: EncodeWords): EncodeJob {
  const { images, output } = words;
  const { classifier, classifier_scale } = parseClassifier(words);
  return {
    ...{ model, options: { ...parseModelOptions(model, words), classifier }, images, output },
    steps: parseSteps(words.steps),
    guidance: parseGuidance(words),
    classifier_scale,
    refine: words.refine === undefined ? USUAL_REFINE : parseRefine(words.refine),
    labels: words.class === undefined ? null : parseNumbers(words.class, '--class'),
    low_res: words.lowRes ?? null,
    clip: words.clip ?? true,
  };
}

function parseRefine(text: string): number {
  return text === '0' ? 0 : parseCount(text, '--refine', MOST_REFINE);
}
