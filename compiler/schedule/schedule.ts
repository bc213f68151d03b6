// The schedule: fusion groups in execution order. A group is an anchor op with prologues, which are applied to
// what it loads, and epilogues, which are applied to what it has computed. A group becomes one dispatch; a convolution by
// Winograd's algorithm becomes three or four, and one in slices of its inner dimension two.
// A value is named by the id of its OpGraph node; views (reshape, slice) are resolved to what they view.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Update } from './update.ts';
import type { View } from './values.ts';

/**
 * How a value stands: channels-last in a buffer, or as texels do, [sample][channel / 4][pixel]: in a storage texture, and where
 * it is float16 in a buffer, which then costs a processor less than a texture that has to be decoded and filled.
 */
export type Home = 'buffer' | 'texture';

/** A 1x1 convolution of the block's input that is summed into the anchor's product. */
export interface FusedSkip {
  readonly sources: readonly number[];
  /** Node id of the convolution. */
  readonly conv: number;
}

/** An op applied in a group, with the value it reads beside the one it is applied to. */
export interface FusedOp {
  readonly node: number;
  /**
   * The other operand of an add, a multiply or an activation_gradient, the mask of an apply_mask, the time projection of a
   * film, film_gradient or channel_add; null for activation functions, group_norm and scale.
   */
  readonly operand: View | null;
  /** Node id of the pooling or the nearest upsampling by which a residual of another size is read. */
  readonly resampled?: number;
}

interface OpGroup<K extends string> {
  readonly kind: K;
  /** Node id of the anchor op. */
  readonly anchor: number;
  /** Values read as one along channels: one, or the two of a fused skip concat. */
  readonly sources: readonly number[];
  /** The value the group writes. */
  readonly result: number;
}

export interface ConvGroup extends OpGroup<'conv'> {
  /** Node id of a nearest upsampling done in the addressing of the sources, or null. */
  readonly upsample: number | null;
  /** The ops applied to what is loaded, in order. */
  readonly prologue: readonly FusedOp[];
  readonly skip: FusedSkip | null;
  /** The ops applied to the result, in order. */
  readonly epilogue: readonly FusedOp[];
  /** Whether it also writes the statistics that a later norm of the result needs. */
  readonly statistics: boolean;
}

/** An anchor without arithmetic of its own: load, prologue, epilogue, store. */
export interface MapGroup extends OpGroup<'map'> {
  readonly upsample: number | null;
  readonly prologue: readonly FusedOp[];
  readonly epilogue: readonly FusedOp[];
}

/** Pooling of what is loaded. */
export interface PoolGroup extends OpGroup<'avg_pool'> {
  readonly prologue: readonly FusedOp[];
}

export interface LinearGroup extends OpGroup<'linear'> {
  readonly epilogue: readonly FusedOp[];
}

/** The gradient of a norm; its sources are what is normalised and a cotangent. */
export interface NormGradientGroup extends OpGroup<'norm_gradient'> {
  /**
   * What lies between the norm's result and the value that the cotangent is of, from there back: the norm, maybe FiLM, and
   * an activation function as they are computed again, then the gradients of the activation function and of FiLM. Empty
   * where the cotangent is that of the norm's result.
   */
  readonly through: readonly FusedOp[];
  /** What is added to the gradient: those by other readers of what is normalised. */
  readonly epilogue: readonly FusedOp[];
}

/**
 * Sums over space, a sample and a channel each, of a cotangent and of its product with what a norm made of the source: its
 * sources are what is normalised and a cotangent.
 */
export interface NormSumsGroup extends OpGroup<'norm_sums'> {
  /** As that of a norm's gradient. */
  readonly through: readonly FusedOp[];
}

/** The gradient of a convolution's weight; its sources are what was convolved. */
export interface WeightGradientGroup extends OpGroup<'weight_gradient'> {
  /** The gradient by the convolution's result. */
  readonly cotangent: number;
  readonly upsample: number | null;
  readonly prologue: readonly FusedOp[];
}

/** The sum of channels over samples and space. */
export interface ChannelSumGroup extends OpGroup<'channel_sum'> {
  /** The first channel that is summed: of a slice. */
  readonly start: number;
}

/** Kinds of groups that nothing is fused into. */
export type PlainKind =
  | 'attention'
  | 'attention_gradient'
  | 'gather_channels'
  | 'window'
  | 'upsample_linear'
  | 'embedding'
  | 'position_add'
  | 'log_softmax_gradient'
  | 'embedding_gradient'
  | 'scale_shift_gradient'
  | 'batch_sum'
  | 'rows'
  | 'dropout_mask'
  | 'mix'
  | 'cross_entropy'
  | 'cross_entropy_gradient'
  | 'top_k'
  | 'mse'
  | 'mse_gradient'
  | 'variational_bound'
  | 'variational_bound_gradient';

export type PlainGroup = { [K in PlainKind]: OpGroup<K> }[PlainKind];

/** A group of ops as fusions make it: nothing is chosen for it yet. */
export type FusionGroup =
  | ConvGroup
  | MapGroup
  | PoolGroup
  | LinearGroup
  | NormGradientGroup
  | NormSumsGroup
  | WeightGradientGroup
  | ChannelSumGroup
  | PlainGroup;

/** Tiles of a value's channel statistics: `count` tiles of `pixels` pixels, the last one maybe smaller. */
export interface StatisticsTiles {
  readonly count: number;
  readonly pixels: number;
  /** Whether each says its pixels: tiles of Winograd's algorithm at the edge of an image have fewer. */
  readonly counted: boolean;
  /** Whether they were merged by a dispatch of their own and stand in a buffer of their own. */
  readonly merged: boolean;
}

export interface Tile {
  readonly m: number;
  readonly n: number;
}

/** Tiles of Winograd's algorithm that kernels have code for. */
export type WinogradTile = 2 | 4;

/** A way to compute a convolution. */
export interface Candidate {
  /** Pixels m of a side of a tile where it is computed by Winograd's F(m x m, 3 x 3), else null. */
  readonly winograd: WinogradTile | null;
  /** Pixels by channels that a workgroup of the product computes. */
  readonly tile: Tile;
  /** Slices of the inner dimension that workgroups compute apart, and a dispatch behind them adds up; 1 where there is one. */
  readonly slices: number;
}

/** The way that was chosen. */
export interface Choice extends Candidate {
  /** What it was chosen from and why, in words; null where there was no choice. */
  readonly reason: string | null;
}

interface Placed {
  /** Where it reads and writes activations. */
  readonly home: Home;
}

/** How a group comes to the scale and shift of the norm and FiLM in its prologue. */
export interface Scaled {
  /** Whether a group before it computes them. */
  readonly affine: boolean;
  /** Else the statistics of each source that a group_norm in the prologue reads, in order of `sources`. */
  readonly reads: readonly StatisticsTiles[];
}

export interface ScheduledConv extends ConvGroup, Choice, Placed, Scaled {
  /** Statistics it writes, or null. */
  readonly writes: StatisticsTiles | null;
}

export interface ScheduledMap extends MapGroup, Placed, Scaled {}
export interface ScheduledPool extends PoolGroup, Placed, Scaled {}
export interface ScheduledLinear extends LinearGroup, Placed {}
export interface ScheduledNormGradient extends NormGradientGroup, Placed {}
export interface ScheduledNormSums extends NormSumsGroup, Placed {}
export interface ScheduledWeightGradient extends WeightGradientGroup, Placed, Scaled {
  /** Pixels m of a side of a tile where it is computed by Winograd's F(m x m, 3 x 3), else null. */
  readonly winograd: WinogradTile | null;
}
export interface ScheduledChannelSum extends ChannelSumGroup, Placed {}
export type ScheduledPlain = PlainGroup & Placed;

/** A group that computes ops. */
export type ComputeGroup =
  | ScheduledConv
  | ScheduledMap
  | ScheduledPool
  | ScheduledLinear
  | ScheduledNormGradient
  | ScheduledNormSums
  | ScheduledWeightGradient
  | ScheduledChannelSum
  | ScheduledPlain;

/** A group that applies a prologue to what it loads. */
export type PrologueGroup = ScheduledConv | ScheduledMap | ScheduledPool | ScheduledWeightGradient;

/** The statistics of a value that no convolution writes. */
export interface StatisticsGroup extends Placed {
  readonly kind: 'statistics';
  /** The value that they are of. */
  readonly result: number;
  readonly writes: StatisticsTiles;
}

/** One tile of all tiles of a value's statistics. */
export interface MergeStatisticsGroup {
  readonly kind: 'merge_statistics';
  readonly result: number;
  readonly merges: StatisticsTiles;
  readonly writes: StatisticsTiles;
}

/** Scale and shift of the channels that a norm or FiLM is applied to, for the reader that applies them. */
export interface AffineGroup {
  readonly kind: 'affine';
  readonly sources: readonly number[];
  /** The norm, the FiLM, or both: what the reader applies of its prologue. The first one names what is written. */
  readonly prologue: readonly FusedOp[];
  /** Statistics of each source that the norm reads. */
  readonly reads: readonly StatisticsTiles[];
  /** The result of the reader. */
  readonly result: number;
}

/** A value brought to its home from the other one. */
export interface TransferGroup extends Placed {
  readonly kind: 'transfer';
  readonly result: number;
}

/** A group of the schedule. `result` is the value that it writes, or that it prepares something of. */
export type ScheduledGroup =
  | ComputeGroup
  | StatisticsGroup
  | MergeStatisticsGroup
  | AffineGroup
  | TransferGroup;

export type GroupKind = ScheduledGroup['kind'];

/** The groups of a kind. */
export type GroupOf<K extends GroupKind> = Extract<ScheduledGroup, { readonly kind: K }>;

export interface Schedule {
  readonly graph: OpGraph;
  readonly groups: readonly ScheduledGroup[];
  /** What a step of training does behind them; null where parameters stay as they are. */
  readonly update: Update | null;
}
