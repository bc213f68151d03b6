// What prepares a group_norm on GPUs: what a workgroup has to know of a sample before it loads anything.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { ScheduledConv, ScheduledMap } from '../schedule/schedule.ts';
import { normOf } from '../schedule/statistics.ts';
import { extentOf } from '../schedule/values.ts';
import { type Fragment, fragmentOf, readBuffer } from './fragment.ts';
import type { WeightsBuilder } from './weights.ts';

/**
 * Mean and reciprocal deviation of up to 32 norm groups, from the statistics of the sources' channels: threads 32 apart
 * share a group.
 */
export function normFragment(
  graph: OpGraph,
  group: ScheduledConv | ScheduledMap,
  weights: WeightsBuilder,
  threads: number,
): Fragment {
  const norm = normOf(graph, group)!;
  const [, gamma, beta] = graph.nodes[norm.node]!.inputs;
  const { pixels } = extentOf(graph, group.sources[0]!);
  const { hooks, functions } = fragmentOf(group.sources.length === 2 ? 'norm_groups_concat' : 'norm_groups', {
    THREADS: threads,
    SHARES: threads,
    SHARERS: threads / 32,
    NORM_GROUPS: norm.groups,
    EPSILON: norm.eps,
  });
  const statistics = (value: number, i: number) =>
    readBuffer(`statistics${i}`, { kind: 'statistics', value, merged: group.reads[i]!.merged });
  return {
    hooks,
    functions: [...functions, ''],
    extra: group.sources.map(statistics),
    sizes: {
      gamma_at: weights.vector(gamma!) / 4,
      beta_at: weights.vector(beta!) / 4,
      norm_width: norm.channels / norm.groups,
      norm_pixels: pixels,
      ...Object.fromEntries(
        group.reads.flatMap((tiles, i) => [
          [`tiles${i}`, tiles.count],
          [`tile_pixels${i}`, tiles.pixels],
        ]),
      ),
    },
  };
}
