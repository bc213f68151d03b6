// The table of kernels: how each kind of group becomes a call.

import { InternalError } from '../../diagnostics.ts';
import type { GroupKind, Schedule, ScheduledGroup } from '../../schedule/schedule.ts';
import type { Target } from '../../target.ts';
import type { KernelCall } from '../kernel-call.ts';
import { affineSubgroup } from './affine-subgroup.ts';
import { attention, attentionMatrix } from './attention.ts';
import { attentionSubgroup } from './attention-subgroup.ts';
import { conv } from './conv.ts';
import { convMatrix } from './conv-matrix.ts';
import { convSubgroup } from './conv-subgroup.ts';
import { linear } from './linear.ts';
import { linearSubgroup } from './linear-subgroup.ts';
import { map } from './map.ts';
import { mapSubgroup, transfer } from './map-subgroup.ts';
import { avg_pool, embedding, gather_channels, upsample_linear } from './space.ts';
import { merge_statistics, statistics } from './statistics.ts';
import { statisticsSubgroup } from './statistics-subgroup.ts';

/** One call a group, or the calls of an algorithm of several steps. */
type Emit = (schedule: Schedule, group: ScheduledGroup) => KernelCall | readonly KernelCall[];

/** For kinds that schedules of the target do not have. */
const none: Emit = (_, group) => {
  throw new InternalError(`no kernel for ${group.kind} on this target`);
};

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
  affine: none,
  transfer: none,
} as const satisfies Record<GroupKind, Emit>;

const SUBGROUP = {
  ...WORKGROUP,
  conv: convSubgroup,
  linear: linearSubgroup,
  attention: attentionSubgroup,
  map: mapSubgroup,
  statistics: statisticsSubgroup,
  merge_statistics: none,
  affine: affineSubgroup,
  transfer,
} as const satisfies Record<GroupKind, Emit>;

/** The kernels of a target, by how it computes products. */
export const GROUPS: Readonly<Record<Target['products'], Readonly<Record<GroupKind, Emit>>>> = {
  workgroup: WORKGROUP,
  matrix: { ...WORKGROUP, conv: convMatrix, attention: attentionMatrix },
  subgroup: SUBGROUP,
};
