// A linear layer, with the label embedding and an activation function behind it.

import type { Schedule, ScheduledLinear } from '../../schedule/schedule.ts';
import { extentOf } from '../../schedule/values.ts';
import { epilogueOf } from '../epilogue.ts';
import { value } from '../fragment.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';

export function linear({ graph }: Schedule, group: ScheduledLinear): KernelCall {
  const out = extentOf(graph, group.result);
  const input = extentOf(graph, group.sources[0]!);
  const [, weight, bias] = graph.nodes[group.anchor]!.inputs;
  const weights = createWeightsBuilder(graph);
  weights.linear(weight!);
  const biasAt = weights.vector(bias!);
  const fused = epilogueOf(graph, group.epilogue, { element: 'channel' });
  return callKernel({
    file: 'linear',
    ...fused,
    declared: {
      weights: { kind: 'weights' },
      source0: value(group.sources[0]!),
      result: value(group.result),
    },
    weights: weights.finish(),
    workgroups: [Math.ceil(out.channels / 64), 1, out.batch],
    sizes: { in_quads: input.quads, out_quads: out.quads, bias_at: biasAt / 4 },
  });
}
