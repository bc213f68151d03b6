// The model as TimeEmbedSeq blocks of typed layers with resolved shapes and parameter paths.
// It is the unit of naming, import, diff and cost: the keywords of a family and the explicit form build the same Graph.

import type { NamingName } from '../families/namings.ts';
import type { Layer } from '../layers/index.ts';
import type { Norm } from '../layers/norm.ts';
import type { Pool } from '../layers/pool.ts';
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

export type NoiseSchedule = 'linear' | 'cosine' | 'scaled_linear';
export type Prediction = 'epsilon' | 'x_start' | 'previous_x' | 'v';
export type TimestepSpacing = 'leading' | 'trailing' | 'linspace';
/** What training makes small: squared errors, with a learned variance's bound beside them, or the bound itself. */
export type Loss = 'mse' | 'rescaled_mse' | 'kl' | 'rescaled_kl';
export type Variance = 'learned_range' | 'learned' | 'fixed_small' | 'fixed_large';

/** Defaults for sampling, all resolved. */
export interface Diffusion {
  readonly steps: number;
  readonly noise_schedule: NoiseSchedule;
  /** First and last beta of a linear schedule; null is the schedule's own. */
  readonly beta_start: number | null;
  readonly beta_end: number | null;
  readonly predict: Prediction;
  readonly variance: Variance;
  readonly rescale_timesteps: boolean;
  /** How diffusers' schedulers spread timesteps, with all their conventions; null: as improved-diffusion. */
  readonly timestep_spacing: TimestepSpacing | null;
  readonly steps_offset: number;
  readonly set_alpha_to_one: boolean;
  /** Guesses at the image are clipped to [-clip_range, clip_range]; null: never. */
  readonly clip_range: number | null;
  /** Of training alone. */
  readonly loss: Loss;
}

/** The keys of `diffusion` that came after version 1 was first published, with what they mean where they are left out. */
export const LATER_DIFFUSION = {
  beta_start: null,
  beta_end: null,
  timestep_spacing: null,
  steps_offset: 0,
  set_alpha_to_one: true,
  clip_range: 1,
} as const satisfies Partial<Diffusion>;

/** The loss of a graph that says none: as the original trains. */
export function usualLoss(variance: Variance): Loss {
  return variance === 'learned' || variance === 'learned_range' ? 'rescaled_mse' : 'mse';
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
  /** What a classifier has instead of output blocks and head; its output are logits [B, out_channels]. */
  readonly pool: Pool | null;
  /** Whether images in [0, 1] are given, which the model moves to [-1, 1] first: it computes on 2x - 1. */
  readonly center_input: boolean;
  /** Whether training computes residual and attention blocks again in its backward pass, and keeps nothing inside of them. */
  readonly use_checkpoint: boolean;
  /** The head: GroupNorm, SiLU, 3^dims convolution from `channels`. The norm is that of a pool, too. */
  readonly head: { readonly channels: number; readonly norm: Norm };
  /** What checkpoints call the parameters. */
  readonly naming: NamingName;
}

/** The paths of residual and attention blocks: what the backward pass of training may compute again. */
export function blocksOf({ blocks }: Graph): readonly string[] {
  const layers = blocks.flatMap((block) => block.layers);
  return layers
    .filter(({ layer }) => layer.type === 'res_block' || layer.type === 'attention')
    .map(({ path }) => path);
}
