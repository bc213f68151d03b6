// OpGraph to Schedule: one group for each op, fused, with a choice for each convolution, statistics where norms need
// them, transfers where a value is read elsewhere than it was written, and the time path in front.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { GENERIC, type Target } from '../target.ts';
import { backendOf } from './backends/index.ts';
import type { Choose } from './choices/candidates.ts';
import { shareKernels, worthwhileTiles } from './choices/give-up.ts';
import { type ChoiceOptions, chooseConv, createPrices } from './choices/prices.ts';
import type { Fusion } from './fusions/fusion.ts';
import { initialGroups } from './groups.ts';
import { planUpdate } from './plan-update.ts';
import type { Schedule } from './schedule.ts';
import { type ChosenGroup, insertStatistics } from './statistics.ts';
import { hoistTimePath } from './time-path.ts';
import { insertTransfers } from './transfers.ts';
import type { UpdateOptions } from './update.ts';

/** How a graph is scheduled. */
export interface ScheduleOptions extends ChoiceOptions {
  /** What is done with the gradients of a graph that has them; not given, they are outputs. */
  readonly update?: UpdateOptions | undefined;
}

/**
 * Schedules a graph. `fusions` are applied in order: the backend's where not given, none for the unfused schedule;
 * `options` say how convolutions are chosen, and what becomes of gradients.
 */
export function buildSchedule(
  graph: OpGraph,
  target: Target = GENERIC,
  fusions?: readonly Fusion[],
  options: ScheduleOptions = {},
): Schedule {
  const backend = backendOf(target);
  const initial = initialGroups(graph);
  const prices = createPrices(graph, backend, options);
  const tiles = worthwhileTiles(graph, initial, prices);
  const choose: Choose = (group) => chooseConv(graph, group, backend, prices, tiles, options);
  const fused = (fusions ?? backend.fusions(choose)).reduce(
    (current, fusion) => fusion.run(graph, current),
    initial,
  );
  const chosen = fused.map((group): ChosenGroup => {
    if (group.kind === 'conv') return { ...group, ...choose(group) };
    if (group.kind !== 'weight_gradient') return group;
    return { ...group, winograd: backend.weightTile(graph, group, options.strict ?? false) };
  });
  const shared = backend.pricesKernels ? shareKernels(graph, chosen, prices, tiles) : chosen;
  const completed = insertTransfers(graph, insertStatistics(graph, shared, backend));
  const groups = hoistTimePath(graph, completed);
  const update = options.update === undefined ? null : planUpdate(graph, groups, options.update, target);
  return { graph, groups, update };
}
