// What `unetc evaluate` is asked to do: the words of the command line, checked as far as words can be.

import { UsageError } from '../../engine/errors.ts';
import type { EvaluationJob } from '../../engine/evaluation/job.ts';
import { parseCount, parseSeed } from '../parse.ts';
import { type DataWords, parseDataOptions } from './data.ts';
import { type ModelWords, parseModelOptions } from './model.ts';
import { parseSteps, type SampleWords } from './sample.ts';
import { findShard } from './shard.ts';

/** The options of the command as they were typed. */
export interface EvaluateWords
  extends ModelWords,
    Omit<DataWords, 'flip' | 'crop'>,
    Pick<SampleWords, 'steps' | 'noise' | 'clip' | 'shard' | 'resume' | 'progress' | 'quiet'> {
  readonly data: string;
  readonly output?: string;
  readonly seed?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

/** Terms of each kind that one JSON document lists. */
export const MOST_LISTED = 2 ** 22;

const MOST_IMAGES = 2 ** 31;

/**
 * @param env where a cluster says which shard this is
 * @throws UsageError for a word that is off, and for words that do not go together
 */
export function parseEvaluation(
  path: string,
  words: EvaluateWords,
  env: Readonly<Record<string, string | undefined>> = {},
): EvaluationJob {
  const { weights: _, renameMap: _map, ...options } = parseModelOptions(path, words);
  if (words.seed !== undefined && words.noise !== undefined) {
    throw new UsageError('--seed and --noise both say what the noise is; leave one out');
  }
  if (words.resume === false && words.output === undefined) {
    throw new UsageError(
      '--no-resume begins a folder anew, and without --output there is none; leave it out',
    );
  }
  return {
    options,
    data: words.data,
    reading: parseDataOptions(words),
    steps: parseSteps(words.steps),
    clip: words.clip ?? true,
    seed: words.seed === undefined ? 0 : parseSeed(words.seed),
    noise: words.noise ?? null,
    limit: words.limit === undefined ? null : parseCount(words.limit, '--limit', MOST_IMAGES),
    shard: findShard(words.shard, env),
    out: words.output ?? null,
    resume: words.resume ?? true,
    most_terms: words.json ? MOST_LISTED : null,
  };
}
