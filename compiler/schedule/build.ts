// OpGraph to Schedule: one group for each op, fused, with a choice for each convolution, statistics where norms need
// them, transfers where a value is read elsewhere than it was written, and the time path in front.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { GENERIC, type Target } from '../target.ts';
import { worthwhileTiles } from './algorithms.ts';
import { type ChoiceOptions, type Choose, chooseConv, createPrices } from './choices.ts';
import type { Fusion } from './fusions/fusion.ts';
import { fusionsOf } from './fusions/index.ts';
import { initialGroups } from './groups.ts';
import { shareKernels } from './kernel-sharing.ts';
import type { Schedule } from './schedule.ts';
import { type ChosenGroup, insertStatistics } from './statistics.ts';
import { insertTransfers } from './storage.ts';
import { hoistTimePath } from './time-path.ts';

/**
 * Schedules a graph. `fusions` are applied in order: the target's where not given, none for the unfused schedule;
 * `options` say how convolutions are chosen.
 */
export function buildSchedule(
  graph: OpGraph,
  target: Target = GENERIC,
  fusions?: readonly Fusion[],
  options: ChoiceOptions = {},
): Schedule {
  const initial = initialGroups(graph);
  const prices = createPrices(graph, target, options);
  const tiles = worthwhileTiles(graph, initial, prices);
  const choose: Choose = (group) => chooseConv(graph, group, target, prices, tiles);
  const groups = (fusions ?? fusionsOf(target, choose)).reduce(
    (current, fusion) => fusion.run(graph, current),
    initial,
  );
  const chosen = groups.map(
    (group): ChosenGroup => (group.kind === 'conv' ? { ...group, ...choose(group) } : group),
  );
  const shared = shareKernels(graph, chosen, target, prices, tiles);
  const completed = insertTransfers(graph, insertStatistics(graph, shared, target));
  return { graph, groups: hoistTimePath(graph, completed) };
}
