// What a sampling job is: which samples, of which model, made how, and written where.

import type { Guidance } from '../../runtime/sampler/request.ts';
import type { Sampler } from '../../runtime/sampler/samplers/index.ts';
import type { GuidedModelOptions } from '../model/open-guided.ts';
import type { Shard } from './shard.ts';

/** What samples are written as: a PNG each, or all in one file. */
export const FORMATS = ['png', 'npz', 'npy', 'safetensors'] as const;
export type Format = (typeof FORMATS)[number];

/** The way of a sample, as guesses at x_0: an animated PNG, or a strip of pictures. */
export type Trajectory = 'apng' | 'strip' | 'none';

export interface SampleJob {
  /** A graph file or the folder of a bundle. */
  readonly model: string;
  /** How it is opened. Without a batch the job chooses. */
  readonly options: GuidedModelOptions;
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
  /** Whether the guess at x_0 is clipped to [-1, 1] at every step. */
  readonly clip: boolean;
  readonly guidance: Guidance | null;
  /** How far the classifier of `options` moves a step. */
  readonly classifier_scale: number;
  readonly shard: Shard;
  readonly format: Format;
  readonly trajectory: Trajectory;
  /** How many times smaller samples are written; 1 for as they are. */
  readonly downscale: number;
  /** Goes on with the same job where the folder holds it; else begins it anew. */
  readonly resume: boolean;
  /** Steps after which the chains under way are saved; null for not before an interruption. */
  readonly checkpoint_every: number | null;
  /** Looks for the first kernel that made a NaN or an infinity where one is seen. */
  readonly debug_nan: boolean;
}
