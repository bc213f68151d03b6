// OpGraph to Schedule: one group for each op, fused, with statistics where norms need them and a tile for each
// product.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { GENERIC, type Target } from '../target.ts';
import type { Fusion } from './fusions/fusion.ts';
import { fusionsOf } from './fusions/index.ts';
import { initialGroups } from './groups.ts';
import type { Group, Schedule } from './schedule.ts';
import { insertStatistics } from './statistics.ts';
import { textureValues } from './storage.ts';
import { usesWinograd } from './winograd.ts';

/**
 * Schedules a graph. `strict` leaves out what is less exact than the plain algorithm; `fusions` are applied in order: the target's where not given, none for the unfused schedule.
 */
export function buildSchedule(
  graph: OpGraph,
  target: Target = GENERIC,
  fusions?: readonly Fusion[],
  strict = false,
): Schedule {
  const groups = (fusions ?? fusionsOf(target, strict)).reduce(
    (current, fusion) => fusion.run(graph, current),
    initialGroups(graph),
  );
  const isWinograd = (group: Group) => !strict && usesWinograd(graph, group, target);
  const textures = textureValues(graph, groups, target, isWinograd);
  return { graph, textures, groups: insertStatistics(graph, groups, target, textures, isWinograd) };
}
