// Attention in one dispatch for subgroups of 8 lanes: 8 queries by 64 channels of a head a subgroup.

import type { Schedule, ScheduledGroup } from '../../schedule/schedule.ts';
import { value } from '../fused-ops.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { attentionSizes } from './attention.ts';

export function attentionSubgroup({ graph }: Schedule, group: ScheduledGroup): KernelCall {
  const { sizes, batch } = attentionSizes(graph, group);
  return callKernel({
    file: 'attention_subgroup',
    declared: { source0: value(group.sources[0]!), result: value(group.result) },
    workgroups: [Math.ceil(sizes.positions / 8), sizes.heads * sizes.slices, batch],
    sizes,
  });
}
