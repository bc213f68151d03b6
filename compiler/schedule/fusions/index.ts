// The fusions, in order. Each can be left out: fused and unfused schedules compute the same values.

import type { Target } from '../../target.ts';
import type { Choose } from '../choices.ts';
import { fuse_activation } from './fuse_activation.ts';
import { fuse_nearest_upsample } from './fuse_nearest_upsample.ts';
import { fuse_norm_map } from './fuse_norm_map.ts';
import { fuse_norm_prologue } from './fuse_norm_prologue.ts';
import { fuse_norm_winograd } from './fuse_norm_winograd.ts';
import { fuse_residual } from './fuse_residual.ts';
import { fuse_skip_concat } from './fuse_skip_concat.ts';
import { fuse_skip_conv } from './fuse_skip_conv.ts';
import { fuse_statistics } from './fuse_statistics.ts';
import { fuse_time_add } from './fuse_time_add.ts';
import { fuse_upsample_direct } from './fuse_upsample_direct.ts';
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
 * A lane would repeat a prologue for every tap and tile of channels: the normalised activation is written once, but where
 * Winograd's input transform takes the norm along. A kernel binds four textures: one that reads
 * two sources has none left for a residual, nor one with a residual for a skip convolution.
 */
function subgroupFusions(choose: Choose): readonly Fusion[] {
  return [
    fuse_time_add,
    fuse_norm_map,
    fuse_skip_concat, // before norms leave their maps: a convolution then reads both sources through its norm
    fuse_residual, // after concats, for what reads two sources takes none
    fuse_activation, // behind the label embedding, which fuse_residual adds
    fuse_norm_winograd(choose),
    fuse_upsample_direct(choose),
    fuse_statistics,
  ];
}

/** The fusions of a target; `choose` says which convolutions Winograd's algorithm computes. */
export function fusionsOf(target: Target, choose: Choose): readonly Fusion[] {
  return target.products === 'subgroup' ? subgroupFusions(choose) : WORKGROUP;
}
