// The table of kernels: how each kind of group becomes a call.

import type { GroupKind, Schedule, ScheduledGroup } from '../../schedule/schedule.ts';
import type { Target } from '../../target.ts';
import type { KernelCall } from '../kernel-call.ts';
import { attention } from './attention.ts';
import { attentionSubgroup } from './attention-subgroup.ts';
import { conv } from './conv.ts';
import { convSubgroup } from './conv-subgroup.ts';
import { linear } from './linear.ts';
import { map } from './map.ts';
import { avg_pool, embedding, gather_channels, upsample_linear } from './space.ts';
import { merge_statistics, statistics } from './statistics.ts';

/** One call a group, or the calls of an algorithm of several steps. */
type Emit = (schedule: Schedule, group: ScheduledGroup) => KernelCall | readonly KernelCall[];

const WORKGROUP = {
  conv,
  linear,
  attention,
  map,
  gather_channels,
  avg_pool,
  upsample_linear,
  embedding,
  statistics,
  merge_statistics,
} as const satisfies Record<GroupKind, Emit>;

/** The kernels of a target, by how it computes products. */
export const GROUPS: Readonly<Record<Target['products'], Readonly<Record<GroupKind, Emit>>>> = {
  workgroup: WORKGROUP,
  subgroup: { ...WORKGROUP, conv: convSubgroup, attention: attentionSubgroup },
};
