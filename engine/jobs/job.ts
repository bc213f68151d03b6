// What a sampling job is: which samples, of which model, made how, and written where.

import type { Precision } from '../../compiler/precision.ts';
import type { Guidance } from '../../runtime/sampler/request.ts';
import type { Sampler } from '../../runtime/sampler/samplers/index.ts';
import type { Shard } from './shard.ts';

/** What samples are written as: a PNG each, or all in one file. */
export const FORMATS = ['png', 'npz', 'npy', 'safetensors'] as const;
export type Format = (typeof FORMATS)[number];

/** The way of a sample, as guesses at x_0: an animated PNG, or a strip of pictures. */
export type Trajectory = 'apng' | 'strip' | 'none';

export interface SampleJob {
  /** A graph file or the folder of a bundle. */
  readonly model: string;
  readonly weights: string;
  /** Leaves out tensors of the weights that the graph does not have. */
  readonly allow_unexpected: boolean;
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
  /** Whether the guess at x_0 is clipped to [-1, 1] at every step. */
  readonly clip: boolean;
  readonly guidance: Guidance | null;
  /** Null where the command chooses. */
  readonly batch: number | null;
  /** Slowest dimension first; one number stands for all. Null where the graph says. */
  readonly size: readonly number[] | null;
  readonly shard: Shard;
  readonly format: Format;
  readonly trajectory: Trajectory;
  /** How many times smaller samples are written; 1 for as they are. */
  readonly downscale: number;
  /** Goes on with the same job where the folder holds it; else begins it anew. */
  readonly resume: boolean;
  /** Steps after which the chains under way are saved; null for not before an interruption. */
  readonly checkpoint_every: number | null;
  readonly strict: boolean;
  /** Null where the bundle says, and for a graph float32. */
  readonly precision: Precision | null;
  /** The most bytes that weights and activations may take; null for no limit. */
  readonly memory: number | null;
  /** A tuning file or `none`; null for what ships. */
  readonly tuning: string | null;
  readonly reference: boolean;
  /** Looks for the first kernel that made a NaN or an infinity where one is seen. */
  readonly debug_nan: boolean;
}
