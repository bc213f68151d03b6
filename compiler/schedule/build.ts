// OpGraph to Schedule: one group for each op, fused, with statistics where norms need them and a tile for each
// product.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { GENERIC, type Target } from '../target.ts';
import type { Fusion } from './fusions/fusion.ts';
import { FUSIONS } from './fusions/index.ts';
import { initialGroups } from './groups.ts';
import type { Schedule } from './schedule.ts';
import { insertStatistics } from './statistics.ts';
import { textureValues } from './storage.ts';

/** Schedules a graph; `fusions` are applied in order: the target's where not given, none for the unfused schedule. */
export function buildSchedule(
  graph: OpGraph,
  target: Target = GENERIC,
  fusions: readonly Fusion[] = FUSIONS[target.products],
): Schedule {
  const groups = fusions.reduce((current, fusion) => fusion.run(graph, current), initialGroups(graph));
  const textures = textureValues(graph, groups, target);
  return { graph, textures, groups: insertStatistics(graph, groups, target, textures) };
}
