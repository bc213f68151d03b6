// What an evaluation is: which model on which images, at which steps, and where what it finds is kept.

import type { DataOptions } from '../data/data-options.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Host } from '../host.ts';
import type { Shard } from '../jobs/shard.ts';
import type { OpenOptions } from '../model/open-model.ts';

export interface EvaluationJob {
  /** How the model is opened. Without a batch the job chooses. */
  readonly options: Omit<OpenOptions, 'check'>;
  /** A path as `openData` takes it, opened by `reading` and closed, or a dataset that stays its caller's. */
  readonly data: string | Dataset;
  readonly reading: DataOptions;
  /** The respacing; empty for every step of the training process. */
  readonly steps: string;
  /** Whether the guess at x_0 is clipped to the graph's range. */
  readonly clip: boolean;
  /** What the noise is drawn by, where no file has it. */
  readonly seed: number;
  /** A safetensors file with `noise.I` [N, C, ...size] for each index I of the process. */
  readonly noise: string | null;
  /** Only the first so many images of the data; null: all. */
  readonly limit: number | null;
  readonly shard: Shard;
  /** A folder that keeps what is computed, so that a run which was stopped goes on; null: nothing is kept. */
  readonly out: string | null;
  /** Goes on with the same job where the folder holds it; else begins it anew. */
  readonly resume: boolean;
  /** Terms of each kind that the caller can list; null: any number. */
  readonly most_terms: number | null;
}

/** A host of evaluations. */
export interface EvaluationHost extends Host {
  /** Takes which part of the job this process does; called before anything is read. */
  part(shard: Shard): void;
}

/** An image whose terms are known. */
export interface EvaluatedImage {
  /** Its place in the data, and what the data calls it. */
  readonly sample: number;
  readonly name: string;
  readonly label?: number | undefined;
}

/** Terms of images [N], of each at T steps. */
export interface Bounds {
  /** [N], bits per element of the whole bound, the prior's among them. */
  readonly total_bpd: Float32Array;
  readonly prior_bpd: Float32Array;
  /** [N, T], the noisiest step first, as the original lists them. */
  readonly vb: Float32Array;
  readonly xstart_mse: Float32Array;
  readonly mse: Float32Array;
}
