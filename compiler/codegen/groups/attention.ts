// Attention in one dispatch: 32 queries by 64 channels of a head a workgroup.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { Schedule, ScheduledGroup } from '../../schedule/schedule.ts';
import { extentOf, nodeOf } from '../../schedule/values.ts';
import { value } from '../fused-ops.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';

export function attention({ graph }: Schedule, group: ScheduledGroup): KernelCall {
  const { sizes, heads, batch } = attentionSizes(graph, group);
  return callKernel({
    file: 'attention',
    declared: { source0: value(group.sources[0]!), result: value(group.result) },
    workgroups: [Math.ceil(sizes.positions / 32), heads * sizes.slices, batch],
    sizes,
  });
}

/** What both attention kernels are told; a head's channels are computed in slices of 64. */
export function attentionSizes(graph: OpGraph, group: ScheduledGroup) {
  const { heads } = nodeOf(graph, group.anchor, 'attention').attrs;
  const out = extentOf(graph, group.result);
  const headChannels = out.channels / heads;
  const sizes = {
    positions: out.pixels,
    head_channels: headChannels,
    slices: Math.ceil(headChannels / 64),
    qkv_row: extentOf(graph, group.sources[0]!).quads * 4,
    out_row: out.quads * 4,
    scale: 1 / Math.sqrt(headChannels),
  };
  return { sizes, heads, batch: out.batch };
}
