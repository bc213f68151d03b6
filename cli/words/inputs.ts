// What `unetc inputs` is asked to do: the words of the command line, checked as far as words can be.

import { parseNumbers } from '../../engine/jobs/ranges.ts';
import type { WriteInputsJob } from '../../engine/jobs/write-inputs.ts';
import { parseSeeds } from '../parse.ts';
import { parseSettings } from './settings.ts';

/** The options of the command as they were typed. */
export interface InputsWords {
  readonly seeds?: string;
  readonly timesteps?: string;
  readonly class?: string;
  readonly lowRes?: string;
  readonly batch?: string;
  readonly size?: string;
  readonly gradient?: boolean;
  readonly training?: boolean;
}

/** Throws UsageError for a word that is off. */
export function parseInputsJob(words: InputsWords): WriteInputsJob {
  const { seeds, timesteps, lowRes, training } = words;
  return {
    ...parseSettings(words),
    seeds: seeds === undefined ? undefined : parseSeeds(seeds),
    timesteps: timesteps === undefined ? undefined : parseNumbers(timesteps, '--timesteps'),
    labels: words.class === undefined ? undefined : parseNumbers(words.class, '--class'),
    lowRes,
    training,
  };
}
