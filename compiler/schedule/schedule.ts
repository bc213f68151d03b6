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
  | 'merge_statistics';

/** A 1x1 convolution of the block's input that is summed into the anchor's product. */
export interface FusedSkip {
  readonly sources: readonly number[];
  /** Node id of the convolution. */
  readonly conv: number;
}

/** An op applied in a group, with the value it reads beside the one it is applied to. */
export interface FusedOp {
  readonly node: number;
  /** The residual of an add, the time projection of a film or channel_add; null for silu and group_norm. */
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
  /** Whether they were merged by a dispatch of their own and stand in a buffer of their own. */
  readonly merged: boolean;
}

export interface Tile {
  readonly m: number;
  readonly n: number;
}

/** A group with what was chosen for it. */
export interface ScheduledGroup extends Group {
  /** Pixels by channels a workgroup of a product computes; null for other kinds. */
  readonly tile: Tile | null;
  /** Statistics it writes, or null. */
  readonly writes: StatisticsTiles | null;
  /** Statistics of each source that a group_norm in the prologue reads, in order of `sources`. */
  readonly reads: readonly StatisticsTiles[];
  /** Whether it is a convolution by Winograd's F(2x2, 3x3). */
  readonly winograd: boolean;
  /** Whether its result is copied to a storage texture. */
  readonly texture: boolean;
}

export interface Schedule {
  readonly graph: OpGraph;
  /** Values copied to storage textures, where convolutions read them. */
  readonly textures: ReadonlySet<number>;
  readonly groups: readonly ScheduledGroup[];
}
