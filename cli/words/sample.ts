// What `unetc sample` is asked to do: the words of the command line, checked as far as words can be.

import { UsageError } from '../../engine/errors.ts';
import { FORMATS, type SampleJob, type Trajectory } from '../../engine/jobs/job.ts';
import { parseNumbers } from '../../engine/jobs/ranges.ts';
import type { Guidance } from '../../runtime/sampler/request.ts';
import {
  optionsOf,
  SAMPLER_KINDS,
  type Sampler,
  samplerOf,
  usualSampler,
} from '../../runtime/sampler/samplers/index.ts';
import type { ProgressKind } from '../host.ts';
import { parseAmount, parseChoice, parseCount, parseLabel, parseSeeds } from '../parse.ts';
import { type ClassifierWords, parseClassifier } from './classifier.ts';
import { type ModelWords, parseModelOptions } from './model.ts';
import { findShard } from './shard.ts';

/** The options of the command as they were typed. */
export interface SampleWords extends ModelWords, ClassifierWords {
  readonly output: string;
  readonly seeds?: string;
  readonly noise?: string;
  readonly class?: string;
  readonly lowRes?: string;
  readonly sampler?: string;
  readonly eta?: string;
  readonly steps?: string;
  readonly clip?: boolean;
  readonly guidance?: string;
  readonly nullClass?: string;
  readonly shard?: string;
  readonly format?: string;
  readonly trajectory?: string | true;
  readonly downscale?: string;
  readonly resume?: boolean;
  readonly checkpointEvery?: string;
  readonly debugNan?: boolean;
  readonly progress?: string;
  readonly quiet?: boolean;
}

const MOST_STEPS = 1_000_000;
const LARGEST_FACTOR = 1024;

/**
 * @param env where a cluster says which shard this is
 * @throws UsageError for a word that is off, and for words that do not go together
 */
export function parseJob(
  model: string,
  words: SampleWords,
  env: Readonly<Record<string, string | undefined>> = {},
): SampleJob {
  const steps = parseSteps(words.steps);
  const { classifier, classifier_scale } = parseClassifier(words);
  const job: SampleJob = {
    model,
    options: { ...parseModelOptions(model, words), classifier },
    out: words.output,
    seeds: words.seeds === undefined ? null : parseSeeds(words.seeds),
    noise: words.noise ?? null,
    labels: words.class === undefined ? null : parseNumbers(words.class, '--class'),
    low_res: words.lowRes ?? null,
    sampler: parseSampler(words, steps),
    steps,
    clip: words.clip ?? true,
    guidance: parseGuidance(words),
    classifier_scale,
    shard: findShard(words.shard, env),
    format: parseChoice(words.format ?? 'png', '--format', FORMATS),
    trajectory: parseTrajectory(words.trajectory),
    downscale: words.downscale === undefined ? 1 : parseCount(words.downscale, '--downscale', LARGEST_FACTOR),
    resume: words.resume ?? true,
    checkpoint_every:
      words.checkpointEvery === undefined
        ? null
        : parseCount(words.checkpointEvery, '--checkpoint-every', MOST_STEPS),
    debug_nan: words.debugNan ?? false,
  };
  checkTogether(job);
  return job;
}

/** Only the form is checked here; which counts work depends on the graph. */
export function parseSteps(text = ''): string {
  const steps = text.replaceAll(/\s/g, '');
  if (steps === '' || /^(ddim\d+|\d+(,\d+)*)$/.test(steps)) return steps;
  throw new UsageError(
    `--steps: found '${text}'; write a count (50), ddim and a count (ddim50), or a count a section (10,10,20)`,
  );
}

function parseSampler({ sampler, eta }: SampleWords, steps: string): Sampler {
  const usual = eta === undefined ? usualSampler(steps).kind : 'ddim';
  const kind = parseChoice(sampler ?? usual, '--sampler', SAMPLER_KINDS);
  if (eta === undefined) return samplerOf(kind);
  if (!('eta' in optionsOf(samplerOf(kind)))) {
    throw new UsageError('--eta scales the noise of ddim; leave it out, or say --sampler ddim');
  }
  return samplerOf(kind, { eta: parseAmount(eta, '--eta') });
}

/** `--guidance` and `--null-class`, which go together. */
export function parseGuidance({
  guidance,
  nullClass,
}: Pick<SampleWords, 'guidance' | 'nullClass'>): Guidance | null {
  if (guidance === undefined && nullClass === undefined) return null;
  if (guidance === undefined || nullClass === undefined) {
    throw new UsageError(
      '--guidance and --null-class go together: how far to go, and the class that the model was taught to mean none',
    );
  }
  return { scale: parseAmount(guidance, '--guidance'), null_class: parseLabel(nullClass, '--null-class') };
}

function parseTrajectory(word: string | true | undefined): Trajectory {
  if (word === undefined) return 'none';
  return word === true ? 'apng' : parseChoice(word, '--trajectory', ['apng', 'strip']);
}

/** `--progress` and `--quiet`. */
export function parseProgress({ progress, quiet }: Pick<SampleWords, 'progress' | 'quiet'>): ProgressKind {
  const kind = parseChoice(progress ?? 'auto', '--progress', ['auto', 'json', 'none']);
  return quiet ? 'none' : kind;
}

function checkTogether(job: SampleJob): void {
  if (job.seeds !== null && job.noise !== null) {
    throw new UsageError('--seeds and --noise both say what the samples start from; leave one out');
  }
  if (job.seeds === null && job.noise === null && job.low_res === null) {
    throw new UsageError('--seeds: say which samples to make, such as --seeds 0-15');
  }
}
