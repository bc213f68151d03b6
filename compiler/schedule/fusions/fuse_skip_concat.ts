// The skip concat is never written where all its readers are convolutions and norms: they read channels from two
// sources.

import { fusedIn, usesOf } from '../groups.ts';
import type { FusionGroup } from '../schedule.ts';
import type { Fusion } from './fusion.ts';

export const fuse_skip_concat: Fusion = {
  name: 'fuse_skip_concat',
  run: (graph, groups) => {
    const uses = usesOf(graph, groups);
    const absorbed = new Map<number, number>();
    for (const value of groups.flatMap(absorbable)) absorbed.set(value, (absorbed.get(value) ?? 0) + 1);
    const isJoin = (g: FusionGroup) =>
      g.kind === 'map' && g.sources.length === 2 && g.prologue.length + g.epilogue.length === 0;
    const joins = new Map(
      groups
        .filter((g) => isJoin(g) && uses.readers(g.result) === absorbed.get(g.result))
        .map((g) => [g.result, g]),
    );
    const expand = (sources: readonly number[]) =>
      sources.flatMap((value) => joins.get(value)?.sources ?? [value]);
    return groups
      .filter((group) => !joins.has(group.result))
      .map((group) => {
        if (absorbable(group).length === 0) return group;
        const expanded = { ...group, sources: expand(group.sources) };
        if (expanded.kind !== 'conv' || !expanded.skip) return expanded;
        return { ...expanded, skip: { ...expanded.skip, sources: expand(expanded.skip.sources) } };
      });
  },
};

/** The values that a group can read from two sources instead of one: convolutions and norms can. */
function absorbable(group: FusionGroup): readonly number[] {
  const normed = (group.kind === 'map' || group.kind === 'avg_pool') && group.prologue.length > 0;
  // a norm in front of a weight's gradient has other readers, which take one value
  const bare = group.kind === 'weight_gradient' && group.prologue.length === 0;
  if (group.kind !== 'conv' && !bare && !normed) return [];
  return [group.sources, fusedIn(group).skip?.sources ?? []].flatMap((s) => (s.length === 1 ? s : []));
}
