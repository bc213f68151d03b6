// The loss of a classifier, its gradient, and whether a label is among the favoured classes: one workgroup a sample.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { GroupOf, Schedule } from '../../schedule/schedule.ts';
import { extentOf, nodeOf } from '../../schedule/values.ts';
import { value } from '../fragment.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';

export function cross_entropy({ graph }: Schedule, group: GroupOf<'cross_entropy'>): KernelCall {
  return callKernel({ file: 'cross_entropy', ...ofLogits(graph, group) });
}

export function cross_entropy_gradient(
  { graph }: Schedule,
  group: GroupOf<'cross_entropy_gradient'>,
): KernelCall {
  const { declared, ...rest } = ofLogits(graph, group);
  const file = 'cross_entropy_gradient';
  return callKernel({ file, ...rest, declared: { ...declared, share: value(group.sources[2]!) } });
}

export function top_k({ graph }: Schedule, group: GroupOf<'top_k'>): KernelCall {
  const { sizes, ...rest } = ofLogits(graph, group);
  const { k } = nodeOf(graph, group.anchor, 'top_k').attrs;
  return callKernel({ file: 'top_k', ...rest, sizes: { ...sizes, k } });
}

type OfLogits = GroupOf<'cross_entropy' | 'cross_entropy_gradient' | 'top_k'>;

function ofLogits(graph: OpGraph, { sources, result }: OfLogits) {
  const [logits, labels] = sources;
  const { batch, channels, quads } = extentOf(graph, logits!);
  return {
    declared: { logits: value(logits!), labels: value(labels!), result: value(result) },
    workgroups: [1, 1, batch] as const,
    sizes: { classes: channels, quads },
  };
}
