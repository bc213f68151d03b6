// The mask of a dropout: which elements are kept, a bit each.

import { dropoutStream, dropoutThreshold } from '../../../runtime/bundle.ts';
import type { GroupOf, Schedule } from '../../schedule/schedule.ts';
import { extentOf, nodeOf } from '../../schedule/values.ts';
import { value } from '../fragment.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';

/** Workgroups at the most: a thread of so many goes over several words. */
const MOST_WORKGROUPS = 4096;

export function dropout_mask({ graph }: Schedule, group: GroupOf<'dropout_mask'>): KernelCall {
  const { p, block } = nodeOf(graph, group.anchor, 'dropout_mask').attrs;
  const { batch, pixels, quads } = extentOf(graph, group.result);
  const all = batch * pixels * quads;
  return callKernel({
    file: 'dropout_mask',
    declared: { words: value(group.sources[0]!), result: value(group.result) },
    workgroups: [Math.min(MOST_WORKGROUPS, Math.ceil(all / (8 * 64))), 1, 1],
    sizes: {
      quads: all,
      sample_quads: pixels * quads,
      stream: dropoutStream(block),
      threshold: dropoutThreshold(p),
      rounds: 10,
    },
  });
}
