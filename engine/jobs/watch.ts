// How whoever asked for samples is told of them while they are made.

import type { StepReport } from '../../runtime/sampler/sample.ts';
import type { Host } from '../host.ts';
import type { Entry } from './manifest.ts';
import type { Shard } from './shard.ts';

/** What a run has before it. */
export interface SamplingWork {
  /** Steps of all batches to come. */
  readonly total: number;
  /** Samples to come, and those that are there already. */
  readonly samples: number;
  readonly resumed: number;
}

export interface SampleWatch {
  step(report: StepReport): void;
  sample(entry: Entry): void;
  /** Ends the display, also where the run failed: other text may follow. */
  end(): void;
}

/** A host of sampling jobs. */
export interface JobHost extends Host {
  /** Takes which part of the job this process does; called before the model is opened. */
  part(shard: Shard): void;
  /** Begins to show a run. */
  watch(work: SamplingWork): SampleWatch;
}
