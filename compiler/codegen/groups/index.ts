// The table of kernels: how each kind of group becomes a call.

import { InternalError } from '../../diagnostics.ts';
import type { GroupKind, GroupOf, Schedule, ScheduledGroup } from '../../schedule/schedule.ts';
import type { Target } from '../../target.ts';
import type { KernelCall } from '../kernel-call.ts';
import { affineSubgroup } from './affine-subgroup.ts';
import { attention, attentionMatrix } from './attention.ts';
import { attention_gradient, attentionGradientSubgroup } from './attention-gradient.ts';
import { attentionSubgroup } from './attention-subgroup.ts';
import { conv, convHalf } from './conv.ts';
import { convMatrix } from './conv-matrix.ts';
import { convSubgroup } from './conv-subgroup.ts';
import { cross_entropy, cross_entropy_gradient, top_k } from './cross-entropy.ts';
import { dropout_mask } from './dropout-mask.ts';
import { linear } from './linear.ts';
import { linearSubgroup } from './linear-subgroup.ts';
import { log_softmax_gradient } from './log-softmax-gradient.ts';
import { mix, mse, mse_gradient, variational_bound, variational_bound_gradient } from './losses.ts';
import { map } from './map.ts';
import { mapSubgroup, transfer } from './map-subgroup.ts';
import { norm_gradient, normGradientSubgroup } from './norm-gradient.ts';
import { avg_pool, avgPoolSubgroup } from './pool.ts';
import { position_add, window, windowSubgroup } from './positions.ts';
import { embedding, gather_channels, upsample_linear } from './space.ts';
import { merge_statistics, statistics } from './statistics.ts';
import { statisticsSubgroup } from './statistics-subgroup.ts';
import {
  batch_sum,
  channel_sum,
  channelSumSubgroup,
  embedding_gradient,
  norm_sums,
  normSumsSubgroup,
  rows,
  scale_shift_gradient,
} from './sums.ts';
import { weight_gradient } from './weight-gradient.ts';
import { weightGradientSubgroup } from './weight-gradient-subgroup.ts';

/** One call a group, or the calls of an algorithm of several steps. */
type Emit<K extends GroupKind> = (
  schedule: Schedule,
  group: GroupOf<K>,
  target: Target,
) => KernelCall | readonly KernelCall[];

type Kernels = { readonly [K in GroupKind]: Emit<K> };

/** For kinds that schedules of the target do not have. */
function none(_: Schedule, { kind }: ScheduledGroup): never {
  throw new InternalError(`no kernel for ${kind} on this target`);
}

const WORKGROUP = {
  conv,
  linear,
  attention,
  attention_gradient,
  map,
  norm_gradient,
  gather_channels,
  window,
  position_add,
  log_softmax_gradient,
  weight_gradient,
  norm_sums,
  channel_sum,
  scale_shift_gradient,
  embedding_gradient,
  batch_sum,
  rows,
  dropout_mask,
  mix,
  mse,
  mse_gradient,
  cross_entropy,
  cross_entropy_gradient,
  top_k,
  variational_bound,
  variational_bound_gradient,
  avg_pool,
  upsample_linear,
  embedding,
  statistics,
  merge_statistics,
  affine: none,
  transfer: none,
} as const satisfies Kernels;

const SUBGROUP = {
  ...WORKGROUP,
  conv: convSubgroup,
  linear: linearSubgroup,
  attention: attentionSubgroup,
  attention_gradient: attentionGradientSubgroup,
  map: mapSubgroup,
  avg_pool: avgPoolSubgroup,
  norm_gradient: normGradientSubgroup,
  norm_sums: normSumsSubgroup,
  channel_sum: channelSumSubgroup,
  window: windowSubgroup,
  weight_gradient: weightGradientSubgroup,
  statistics: statisticsSubgroup,
  merge_statistics: none,
  affine: affineSubgroup,
  transfer,
} as const satisfies Kernels;

/** The kernels of a target, by how it computes products. */
const KERNELS: Readonly<Record<Target['products'], Kernels>> = {
  workgroup: WORKGROUP,
  half: { ...WORKGROUP, conv: convHalf },
  matrix: { ...WORKGROUP, conv: convMatrix, attention: attentionMatrix },
  subgroup: SUBGROUP,
};

/** The calls of a group's kernels on a target. */
export function callsOf(schedule: Schedule, group: ScheduledGroup, target: Target): readonly KernelCall[] {
  return [emit(KERNELS[target.products], group.kind, schedule, group, target)].flat();
}

function emit<K extends GroupKind>(
  kernels: Kernels,
  kind: K,
  schedule: Schedule,
  group: GroupOf<K>,
  target: Target,
) {
  return kernels[kind](schedule, group, target);
}
