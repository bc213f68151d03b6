// The schedule: fusion groups in execution order. A group is an anchor op with prologues, which are applied to
// what it loads, and epilogues, which are applied to what it has computed; it becomes one dispatch, or those of one
// algorithm.
// A value is named by the id of its OpGraph node; views (reshape, slice) are resolved to what they view.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { View } from './values.ts';

/** Kernel families. `map` is an anchor without arithmetic of its own: load, prologue, epilogue, store. */
export type GroupKind =
  | 'conv'
  | 'linear'
  | 'attention'
  | 'map'
  | 'gather_channels'
  | 'avg_pool'
  | 'upsample_linear'
  | 'embedding'
  | 'statistics'
  | 'merge_statistics'
  /** Scale and shift of the channels that a norm or FiLM is applied to, for the reader that applies them. */
  | 'affine'
  /** A value brought from a buffer to a texture, or back. */
  | 'transfer';

/** Where a value stands: in a buffer channels-last, or in a storage texture as [sample][channel / 4][pixel]. */
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
  /** The residual of an add, the time projection of a film or channel_add; null for activation functions and group_norm. */
  readonly operand: View | null;
}

export interface Group {
  readonly kind: GroupKind;
  /** Node id of the anchor op. */
  readonly anchor: number;
  /** Values read as one along channels: one, or the two of a fused skip concat. */
  readonly sources: readonly number[];
  /** Node id of a nearest upsampling done in the addressing of the sources, or null. */
  readonly upsample: number | null;
  /** The ops applied to what is loaded, in order. */
  readonly prologue: readonly FusedOp[];
  readonly skip: FusedSkip | null;
  /** The ops applied to the result, in order. */
  readonly epilogue: readonly FusedOp[];
  /** The value the group writes. */
  readonly result: number;
  /** Whether it also writes the statistics that a later norm of the result needs. */
  readonly statistics: boolean;
}

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

/** A group with what was chosen for it. */
export interface ScheduledGroup extends Group {
  /** Pixels by channels a workgroup of a product computes; null for other kinds. */
  readonly tile: Tile | null;
  /** Pixels m of a side of a tile where it is a convolution by Winograd's F(m x m, 3 x 3), else null. */
  readonly winograd: WinogradTile | null;
  /** What it was chosen from and why, in words; null where there was no choice. */
  readonly reason: string | null;
  /** Where it reads and writes activations. */
  readonly home: Home;
  /** Whether a group before it computes what its norm and FiLM do to a channel. */
  readonly affine: boolean;
  /** Statistics it writes, or null. */
  readonly writes: StatisticsTiles | null;
  /** Statistics of each source that a group_norm in the prologue reads, in order of `sources`. */
  readonly reads: readonly StatisticsTiles[];
}

export interface Schedule {
  readonly graph: OpGraph;
  readonly groups: readonly ScheduledGroup[];
}
