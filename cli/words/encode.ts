// What `unetc encode` is asked to do: the words of the command line, checked as far as words can be.

import type { EncodeJob } from '../../engine/jobs/encode.ts';
import { parseNumbers } from '../../engine/jobs/ranges.ts';
import { parseCount } from '../parse.ts';
import { LARGEST_BATCH, parseGuidance, parseSteps, type SampleWords } from './sample.ts';

/** The options of the command as they were typed. */
export interface EncodeWords
  extends Pick<
    SampleWords,
    | 'weights'
    | 'allowUnexpected'
    | 'class'
    | 'lowRes'
    | 'steps'
    | 'clip'
    | 'guidance'
    | 'nullClass'
    | 'strict'
    | 'reference'
  > {
  readonly images: string;
  readonly output: string;
  readonly refine?: string;
  readonly batch?: string;
}

const USUAL_REFINE = 10;
const MOST_REFINE = 1000;

/** @throws UsageError for a word that is off, and for words that do not go together */
export function parseEncodeJob(model: string, words: EncodeWords): EncodeJob {
  const { weights, images, output } = words;
  return {
    ...{ model, weights, images, output },
    steps: parseSteps(words.steps),
    guidance: parseGuidance(words),
    refine: words.refine === undefined ? USUAL_REFINE : parseRefine(words.refine),
    labels: words.class === undefined ? null : parseNumbers(words.class, '--class'),
    batch: words.batch === undefined ? null : parseCount(words.batch, '--batch', LARGEST_BATCH),
    low_res: words.lowRes ?? null,
    clip: words.clip ?? true,
    allow_unexpected: words.allowUnexpected ?? false,
    strict: words.strict ?? false,
    reference: words.reference ?? false,
  };
}

function parseRefine(text: string): number {
  return text === '0' ? 0 : parseCount(text, '--refine', MOST_REFINE);
}
