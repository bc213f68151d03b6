// The gradient of a logarithm of softmax: one workgroup a sample.

import type { GroupOf, Schedule } from '../../schedule/schedule.ts';
import { extentOf } from '../../schedule/values.ts';
import { value } from '../fragment.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';

export function log_softmax_gradient(
  { graph }: Schedule,
  group: GroupOf<'log_softmax_gradient'>,
): KernelCall {
  const { batch, channels, quads } = extentOf(graph, group.result);
  const [logits, labels] = group.sources;
  return callKernel({
    file: 'log_softmax_gradient',
    declared: { source0: value(logits!), source1: value(labels!), result: value(group.result) },
    workgroups: [1, 1, batch],
    sizes: { classes: channels, quads },
  });
}
