// The model as TimeEmbedSeq blocks of typed layers with resolved shapes and parameter paths.
// It is the unit of naming, import, diff and cost: the keywords of a family and the explicit form build the same Graph.

import type { NamingName } from '../families/namings.ts';
import type { Layer } from '../layers/index.ts';
import type { Norm } from '../layers/norm.ts';
import type { TimeEmbed } from '../layers/time_embed.ts';

/** A layer with its place (`input_blocks.4.0`) and the sizes of its input and output. */
export interface PlacedLayer {
  readonly layer: Layer;
  readonly path: string;
  /** What the names of its parameters begin with in a checkpoint, by the graph's naming. */
  readonly prefix: string;
  readonly in_size: readonly number[];
  readonly out_size: readonly number[];
}

/**
 * A TimeEmbedSeq block: its layers in order, each given the time embedding exactly when its type takes it.
 * Every input block's output is pushed; an output block reads its input joined with the popped one.
 */
export interface Block {
  readonly role: 'input' | 'middle' | 'output';
  /** Position among the blocks of its role. */
  readonly index: number;
  readonly path: string;
  readonly layers: readonly PlacedLayer[];
}

export interface SuperResolution {
  /** Spatial size of `low_res`. */
  readonly low_res_size: readonly number[];
}

export type NoiseSchedule = 'linear' | 'cosine';
export type Prediction = 'epsilon' | 'x_start' | 'previous_x';
export type Variance = 'learned_range' | 'learned' | 'fixed_small' | 'fixed_large';

/** Defaults for sampling, all resolved. */
export interface Diffusion {
  readonly steps: number;
  readonly noise_schedule: NoiseSchedule;
  readonly predict: Prediction;
  readonly variance: Variance;
  readonly rescale_timesteps: boolean;
}

/** What the model may cost; what is not said has no limit. The target is `generic`, the batch one image. */
export interface Budgets {
  readonly params?: number;
  readonly macs?: number;
  readonly activation_bytes?: number;
  readonly weight_bytes?: number;
  readonly dispatches?: number;
}

export interface Graph {
  readonly name: string;
  readonly dims: 1 | 2 | 3;
  readonly image_size: readonly number[];
  /** Channels of one image; with super-resolution the model takes twice as many. */
  readonly in_channels: number;
  readonly out_channels: number;
  readonly num_classes: number | null;
  readonly time_embed: TimeEmbed;
  readonly super_resolution: SuperResolution | null;
  readonly diffusion: Diffusion;
  readonly budgets: Budgets | null;
  readonly blocks: readonly Block[];
  /** The head: GroupNorm, SiLU, 3^dims convolution from `channels`. */
  readonly head: { readonly channels: number; readonly norm: Norm };
  /** What checkpoints call the parameters. */
  readonly naming: NamingName;
}
