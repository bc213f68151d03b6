// The fusions, in order. Each can be left out: fused and unfused schedules compute the same values.

import type { Target } from '../../target.ts';
import { fuse_activation } from './fuse_activation.ts';
import { fuse_nearest_upsample } from './fuse_nearest_upsample.ts';
import { fuse_norm_map } from './fuse_norm_map.ts';
import { fuse_norm_prologue } from './fuse_norm_prologue.ts';
import { fuse_residual } from './fuse_residual.ts';
import { fuse_skip_concat } from './fuse_skip_concat.ts';
import { fuse_skip_conv } from './fuse_skip_conv.ts';
import { fuse_statistics } from './fuse_statistics.ts';
import { fuse_time_add } from './fuse_time_add.ts';
import type { Fusion } from './fusion.ts';

const WORKGROUP: readonly Fusion[] = [
  fuse_time_add, // before the residual: it is the first thing added to a convolution's result
  fuse_residual, // leaves the skip convolution as the operand of an add
  fuse_skip_conv, // needs that add
  fuse_activation, // behind the label embedding, which fuse_residual adds
  fuse_norm_prologue, // the activation between norm and convolution is the largest that need not exist
  fuse_nearest_upsample, // independent of the others
  fuse_skip_concat, // after the readers of a concat have become convolutions
  fuse_statistics, // last: marks the groups that are left
];

/**
 * A lane would repeat a prologue for every tap and tile of channels, and it reads a texture faster than a buffer: the
 * normalised and the upsampled activation are written once.
 */
const SUBGROUP: readonly Fusion[] = [
  fuse_time_add,
  fuse_residual,
  fuse_skip_conv,
  fuse_activation,
  fuse_norm_map,
  fuse_skip_concat,
  fuse_statistics,
];

/** Winograd's products have no room for a skip convolution: where it may be used, that one is computed by itself. */
const SUBGROUP_WINOGRAD: readonly Fusion[] = SUBGROUP.filter((fusion) => fusion !== fuse_skip_conv);

/** The fusions of a target; `strict` rules out Winograd. */
export function fusionsOf({ products }: Target, strict: boolean): readonly Fusion[] {
  if (products === 'workgroup') return WORKGROUP;
  return strict ? SUBGROUP : SUBGROUP_WINOGRAD;
}
