// What `unetc sample` is asked to do: the words of the command line, checked as far as words can be.

import type { Sampler } from '../../runtime/sampler/step.ts';
import { UsageError } from '../context.ts';
import { parseSize } from '../graph-file.ts';
import { parseAmount, parseChoice, parseCount, parseNumbers, parseSeeds } from '../parse.ts';

/** The options of the command as they were typed. */
export interface SampleWords {
  readonly weights: string;
  readonly renameMap?: string;
  readonly out: string;
  readonly seeds?: string;
  readonly noise?: string;
  readonly class?: string;
  readonly lowRes?: string;
  readonly sampler?: string;
  readonly eta?: string;
  readonly steps?: string;
  readonly batch?: string;
  readonly size?: string;
  readonly format?: string;
  readonly strict?: boolean;
  readonly precision?: string;
  readonly reference?: boolean;
  readonly quiet?: boolean;
}

export interface SampleJob {
  /** A graph file or the folder of a bundle. */
  readonly model: string;
  readonly weights: string;
  /** A file of `unetc diff --rename-map`, by which the weights are read; null where they have the graph's names. */
  readonly rename_map: string | null;
  readonly out: string;
  /** Null where the samples are counted by the noise or the low-resolution images. */
  readonly seeds: readonly number[] | null;
  /** A safetensors file with x_T as `noise`, and where the model takes them `y` and `low_res`. */
  readonly noise: string | null;
  /** Class labels, cycled over the samples. */
  readonly labels: readonly number[] | null;
  /** A PNG, a folder of them, or a safetensors file with `low_res`; cycled over the samples. */
  readonly low_res: string | null;
  readonly sampler: Sampler;
  /** The respacing; empty for every step of the training process. */
  readonly steps: string;
  /** Null where the command chooses. */
  readonly batch: number | null;
  /** Slowest dimension first; one number stands for all. Null where the graph says. */
  readonly size: readonly number[] | null;
  readonly format: 'png' | 'safetensors';
  readonly strict: boolean;
  /** Null where the bundle says, and for a graph float32. */
  readonly precision: 'f32' | 'f16' | null;
  readonly reference: boolean;
  readonly quiet: boolean;
}

const LARGEST_BATCH = 4096;

/** @throws UsageError for a word that is off, and for words that do not go together */
export function parseJob(model: string, words: SampleWords): SampleJob {
  const steps = parseSteps(words.steps);
  const job: SampleJob = {
    model,
    weights: words.weights,
    rename_map: words.renameMap ?? null,
    out: words.out,
    seeds: words.seeds === undefined ? null : parseSeeds(words.seeds),
    noise: words.noise ?? null,
    labels: words.class === undefined ? null : parseNumbers(words.class, '--class'),
    low_res: words.lowRes ?? null,
    sampler: parseSampler(words, steps),
    steps,
    batch: words.batch === undefined ? null : parseCount(words.batch, '--batch', LARGEST_BATCH),
    size: words.size === undefined ? null : parseSize(words.size),
    format: parseChoice(words.format ?? 'png', '--format', ['png', 'safetensors']),
    strict: words.strict ?? false,
    precision:
      words.precision === undefined
        ? null
        : parseChoice(words.precision, '--precision', ['f32', 'f16'] as const),
    reference: words.reference ?? false,
    quiet: words.quiet ?? false,
  };
  checkTogether(job);
  return job;
}

/** Only the form is checked here; which counts work depends on the graph. */
function parseSteps(text = ''): string {
  const steps = text.replaceAll(/\s/g, '');
  if (steps === '' || /^(ddim\d+|\d+(,\d+)*)$/.test(steps)) return steps;
  throw new UsageError(
    `--steps: found '${text}'; write a count (50), ddim and a count (ddim50), or a count a section (10,10,20)`,
  );
}

function parseSampler({ sampler, eta }: SampleWords, steps: string): Sampler {
  const usual = steps.startsWith('ddim') || eta !== undefined ? 'ddim' : 'ddpm';
  const kind = parseChoice(sampler ?? usual, '--sampler', ['ddpm', 'ddim']);
  if (kind === 'ddim') return { kind, eta: eta === undefined ? 0 : parseAmount(eta, '--eta') };
  if (eta !== undefined) {
    throw new UsageError('--eta scales the noise of ddim; leave it out, or say --sampler ddim');
  }
  return { kind };
}

function checkTogether(job: SampleJob): void {
  if (job.seeds !== null && job.noise !== null) {
    throw new UsageError('--seeds and --noise both say what the samples start from; leave one out');
  }
  if (job.seeds === null && job.noise === null && job.low_res === null) {
    throw new UsageError('--seeds: say which samples to make, such as --seeds 0-15');
  }
}
