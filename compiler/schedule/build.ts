// OpGraph to Schedule: one group for each op, fused, with a choice for each convolution, statistics where norms need
// them, transfers where a value is read elsewhere than it was written, and the time path in front.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { GENERIC, type Target } from '../target.ts';
import { chooseConv } from './choices.ts';
import type { Fusion } from './fusions/fusion.ts';
import { fusionsOf } from './fusions/index.ts';
import { initialGroups } from './groups.ts';
import type { Schedule } from './schedule.ts';
import { type ChosenGroup, insertStatistics } from './statistics.ts';
import { homeOf, insertTransfers } from './storage.ts';
import { hoistTimePath } from './time-path.ts';
import type { Tuning } from './tuning.ts';

/**
 * Schedules a graph. `strict` leaves out what is less exact than the plain algorithm; `fusions` are applied in order:
 * the target's where not given, none for the unfused schedule. `tuning` is what was measured on the adapter.
 */
export function buildSchedule(
  graph: OpGraph,
  target: Target = GENERIC,
  fusions?: readonly Fusion[],
  strict = false,
  tuning?: Tuning,
): Schedule {
  const groups = (fusions ?? fusionsOf(target, strict, tuning)).reduce(
    (current, fusion) => fusion.run(graph, current),
    initialGroups(graph),
  );
  const chosen = groups.map((group): ChosenGroup => {
    const choice = chooseConv(graph, group, target, { strict, tuning });
    return {
      ...group,
      tile: choice?.tile ?? null,
      winograd: choice?.winograd ?? null,
      reason: choice?.reason ?? null,
      home: homeOf(graph, group, target),
    };
  });
  const completed = insertTransfers(graph, insertStatistics(graph, chosen, target));
  return { graph, groups: hoistTimePath(graph, completed) };
}
