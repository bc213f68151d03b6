// The mask of a dropout: which elements are kept, a bit each.

import { dropoutStream, dropoutThreshold } from '../../../runtime/bundle.ts';
import type { GroupOf, Schedule } from '../../schedule/schedule.ts';
import { extentOf, nodeOf } from '../../schedule/values.ts';
import { value } from '../fragment.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { gridOver } from './grid.ts';

export function dropout_mask({ graph }: Schedule, group: GroupOf<'dropout_mask'>): KernelCall {
  const { p, block } = nodeOf(graph, group.anchor, 'dropout_mask').attrs;
  const { batch, pixels, quads } = extentOf(graph, group.result);
  const all = batch * pixels * quads;
  return callKernel({
    file: 'dropout_mask',
    declared: { words: value(group.sources[0]!), result: value(group.result) },
    workgroups: gridOver(all / 8, 4096), // a thread makes a word, of eight quads
    sizes: {
      quads: all,
      sample_quads: pixels * quads,
      stream: dropoutStream(block),
      threshold: dropoutThreshold(p),
      rounds: 10,
    },
  });
}
