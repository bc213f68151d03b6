// Attention in one dispatch: 32 queries by 64 channels of a head a workgroup.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { ScheduledGroup } from '../../schedule/schedule.ts';
import { extentOf, nodeOf } from '../../schedule/values.ts';
import { value } from '../fused-ops.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';

export function attention(graph: OpGraph, group: ScheduledGroup): KernelCall {
  const { heads } = nodeOf(graph, group.anchor, 'attention').attrs;
  const out = extentOf(graph, group.result);
  const qkv = extentOf(graph, group.sources[0]!);
  const headChannels = out.channels / heads;
  const slices = Math.ceil(headChannels / 64);
  return callKernel({
    file: 'attention',
    declared: { source0: value(group.sources[0]!), result: value(group.result) },
    workgroups: [Math.ceil(out.pixels / 32), heads * slices, out.batch],
    sizes: {
      positions: out.pixels,
      heads,
      head_channels: headChannels,
      slices,
      qkv_row: qkv.quads * 4,
      out_row: out.quads * 4,
      scale: 1 / Math.sqrt(headChannels),
    },
  });
}
