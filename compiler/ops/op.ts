// What an op is: attributes, shape rule, cost and meaning. Nothing here knows of a GPU.

import type { Activation } from './activations.ts';

export type DType = 'f32' | 'f16' | 'u32';
export type Shape = readonly number[];

/** Shape and element type of a value. Activations are [batch, channels, ...space], space of 1 to 3 sizes. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A value of the reference executor: row-major, held in float64. */
export interface RefTensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** Multiply-accumulates by kind, over the whole batch (the counting of `thop`: bias and norms are free). */
export interface Macs {
  readonly conv: number;
  readonly linear: number;
  readonly attention: number;
}

export const NO_MACS: Macs = { conv: 0, linear: 0, attention: 0 };

/** How channels of q, k and v lie: `heads_first` is [head][q, k, v][channel], `qkv_first` is [q, k, v][head][channel]. */
export type AttentionOrder = 'heads_first' | 'qkv_first';

/** Which half of a timestep embedding comes first: the cosines or the sines. */
export type EmbeddingOrder = 'cos_sin' | 'sin_cos';

/** Where the model's variance comes from, and whether its mean is differentiated, too. */
type BoundAttrs = {
  readonly variance: 'learned' | 'learned_range' | 'fixed';
  readonly by: 'both' | 'variance';
};

/** Attributes of an op that has none. */
type NoAttrs = Readonly<Record<never, never>>;

/** Kind by kind. */
export function addMacs(a: Macs, b: Macs): Macs {
  return { conv: a.conv + b.conv, linear: a.linear + b.linear, attention: a.attention + b.attention };
}

/** Attributes of every op. Sizes per spatial dimension are listed slowest first, as in the shape. */
export interface OpAttrs extends Readonly<Record<Activation, NoAttrs>> {
  /** What a pass is given under a name: a float tensor whose first size is the batch, or whole numbers u32 [B] or [B, n]. */
  readonly input: { readonly name: string; readonly type: TensorType };
  /** A parameter by its checkpoint name. */
  readonly param: { readonly name: string; readonly shape: Shape };
  /** Sinusoidal embedding of timesteps [B] → [B, dim]. */
  readonly timestep_embedding: {
    readonly dim: number;
    readonly max_period: number;
    readonly order: EmbeddingOrder;
    readonly shift: number;
  };
  /** x [B, K], weight [N, K], bias [N] → [B, N]. */
  readonly linear: NoAttrs;
  /** table [N, E], indices [B] → [B, E]. */
  readonly embedding: NoAttrs;
  /** g [B, E], indices [B]: the gradient of `embedding` by a table of so many rows. */
  readonly embedding_gradient: { readonly rows: number };
  /** a + b of one shape. */
  readonly add: NoAttrs;
  /** a · b of one shape. */
  readonly multiply: NoAttrs;
  /** factor · x. */
  readonly scale: { readonly factor: number };
  /** factor · x + offset. */
  readonly rescale: { readonly factor: number; readonly offset: number };
  /** x, g of one shape: f'(x) · g for the activation function f. */
  readonly activation_gradient: { readonly of: Activation };
  /** x [B, C, ...] + e [B, C], e repeated over space. */
  readonly channel_add: NoAttrs;
  /** x [B, C, ...] · (1 + scale) + shift, with e [B, 2C] = scale, shift (FiLM). */
  readonly film: NoAttrs;
  /** g [B, C, ...], e as `film` takes it: g · (1 + scale). */
  readonly film_gradient: NoAttrs;
  /** x [B, C, T] + p [C, T], p repeated over samples. */
  readonly position_add: NoAttrs;
  /** x, g of one shape: [B, 2C], the sums over space of g · x and of g. */
  readonly scale_shift_gradient: NoAttrs;
  /** x [B, C, ...]: its sum over samples and space, [C]. */
  readonly channel_sum: NoAttrs;
  /** x [B, C, ...]: its sum over samples, [C, ...]. */
  readonly batch_sum: NoAttrs;
  /** Identity at inference; kept until `remove_dropout`, or in training `draw_dropout`, so that the graph shows it. */
  readonly dropout: { readonly p: number };
  /**
   * words u32 [B, 4]: which elements [B, C, ...space] of a dropout of probability p are kept, 1 or 0, as u32. `block` numbers
   * the dropouts of a model, `size` is channels and space.
   */
  readonly dropout_mask: { readonly p: number; readonly block: number; readonly size: Shape };
  /** x, mask u32 of its shape: factor · x where the mask is 1, else 0. */
  readonly apply_mask: { readonly factor: number };
  /** Joins two values along channels. */
  readonly concat: NoAttrs;
  /** Channels start … end of x. */
  readonly slice: { readonly start: number; readonly end: number };
  /** The part of `size` that begins at `start` (which may lie outside), of channels and every spatial dimension; zeros outside x. */
  readonly window: { readonly start: Shape; readonly size: Shape };
  /** Joins parameters along their first axis, when weights are loaded. */
  readonly param_concat: NoAttrs;
  /** Rows start … end of the first axis. */
  readonly rows: { readonly start: number; readonly end: number };
  /**
   * x, weight [O, I, ...kernel], and where there is one bias [O]. `padding` is one number a dimension, or, where both ends
   * differ, one for the beginning of each and then one for its end.
   */
  readonly conv: { readonly stride: Shape; readonly padding: Shape };
  /**
   * x, weight [I, O, ...kernel], and where there is one bias [O]; the output ends `output_padding` positions later, earlier
   * where it is negative.
   */
  readonly conv_transpose: {
    readonly stride: Shape;
    readonly padding: Shape;
    readonly output_padding: Shape;
  };
  /** x, g: the gradient of `conv` by its weight [O, I, ...kernel], where g is that by its result; the padding in front. */
  readonly conv_weight_gradient: {
    readonly stride: Shape;
    readonly padding: Shape;
    readonly kernel: Shape;
  };
  /** x, weight [C], bias [C]. */
  readonly group_norm: { readonly groups: number; readonly eps: number };
  /** x, weight [C], g: the gradient of `group_norm` by x where g is that by its result. */
  readonly group_norm_gradient: { readonly groups: number; readonly eps: number };
  /** x, g of one shape: [B, 2C], the sums over space of g times the normalised x, and of g. */
  readonly group_norm_sums: { readonly groups: number; readonly eps: number };
  readonly avg_pool: { readonly kernel: Shape };
  readonly upsample_nearest: { readonly factor: Shape };
  /** Linear interpolation to `size` (corners not aligned). */
  readonly upsample_linear: { readonly size: Shape };
  /** qkv [B, 3C, T] → [B, C, T]. */
  readonly attention: { readonly heads: number; readonly order: AttentionOrder };
  /** qkv [B, 3C, T], g [B, C, T]: the gradient of `attention` by qkv where g is that by its result. */
  readonly attention_gradient: { readonly heads: number; readonly order: AttentionOrder };
  /** a, d of one shape, c [B, K]: c[b, first] · a + c[b, second] · d. */
  readonly mix: { readonly first: number; readonly second: number };
  /** prediction [B, ≥ C, ...], target [B, C, ...]: the mean squared error of each sample, [B]. */
  readonly mse: NoAttrs;
  /** prediction, target, g [B]: the gradient of `mse` by the prediction where g is that by its result. */
  readonly mse_gradient: NoAttrs;
  /** prediction, target, x_start, c [B, 8]: a term of the variational bound of each sample in bits per element, [B]. */
  readonly variational_bound: BoundAttrs;
  /** prediction, target, x_start, c, g [B]: its gradient by the prediction where g is that by its result. */
  readonly variational_bound_gradient: BoundAttrs;
  /** logits [B, K], y [B]: -log softmax(logits[b])[y[b]], [B]. */
  readonly cross_entropy: NoAttrs;
  /** logits, y, g [B]: the gradient of `cross_entropy` by the logits where g is that by its result. */
  readonly cross_entropy_gradient: NoAttrs;
  /** logits [B, K], y [B]: 1 where y[b] is among the k classes of the largest logits, else 0, [B]. */
  readonly top_k: { readonly k: number };
  /** logits [B, K], y [B]: the gradient of Σ_b log softmax(logits[b])[y[b]] by the logits. */
  readonly log_softmax_gradient: NoAttrs;
  /** The same elements in another shape; only spatial dimensions are merged, split, added or dropped. */
  readonly reshape: { readonly shape: Shape };
  /** Rounds to another element type. */
  readonly cast: { readonly dtype: DType };
}

export type OpName = keyof OpAttrs;

/** The meaning of one op. */
export interface OpDef<N extends OpName = OpName> {
  /** Type of the result; throws InternalError on operands that do not fit. */
  infer(inputs: readonly TensorType[], attrs: OpAttrs[N]): TensorType;
  /** Multiply-accumulates of one evaluation. */
  macs(inputs: readonly TensorType[], attrs: OpAttrs[N]): Macs;
  /** Floating-point operations of one evaluation, everything counted. */
  flops(inputs: readonly TensorType[], attrs: OpAttrs[N]): number;
  /** The value, computed in float64. `input` and `param` have none: the executor supplies theirs. */
  reference(inputs: readonly RefTensor[], attrs: OpAttrs[N]): RefTensor;
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((n, d) => n * d, 1);
}
