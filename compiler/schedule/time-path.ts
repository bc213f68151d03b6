// The time path: what depends on timesteps and labels alone. It stands in front of all other groups, so that a runtime
// that knows what it came to for a row of the batch can leave it out.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { portsOf } from '../opgraph/ports.ts';
import { readsOf, resourceName, takenFrom, writesOf } from './resources.ts';
import type { Schedule, ScheduledGroup } from './schedule.ts';

export interface TimePath {
  /** How many groups it has; they are the first ones. */
  readonly groups: number;
  /** The values in buffers that other groups or outputs take from it. */
  readonly values: readonly number[];
}

/** The same groups, with the groups of the time path in front. */
export function hoistTimePath(graph: OpGraph, groups: readonly ScheduledGroup[]): readonly ScheduledGroup[] {
  const image = imageValues(graph);
  const isTime = (group: ScheduledGroup) => !image.has(group.result);
  return [...groups.filter(isTime), ...groups.filter((group) => !isTime(group))];
}

/** The time path of a schedule; of no groups where something is taken from it that is not in a buffer. */
export function timePathOf({ graph, groups }: Schedule): TimePath {
  const image = imageValues(graph);
  const first = groups.findIndex((group) => image.has(group.result));
  const count = first < 0 ? 0 : first;
  const written = new Set(
    groups
      .slice(0, count)
      .flatMap((group) => writesOf(graph, group).map(({ resource }) => resourceName(resource))),
  );
  const taken = [
    ...groups.slice(count).flatMap((group) => readsOf(graph, group).map(({ resource }) => resource)),
    ...takenFrom(graph),
  ].filter((resource) => written.has(resourceName(resource)));
  const values = taken.flatMap((resource) =>
    resource.kind === 'value' && resource.home === 'buffer' ? [resource.value] : [],
  );
  if (count === 0 || values.length < taken.length) return { groups: 0, values: [] };
  return { groups: count, values: [...new Set(values)].sort((a, b) => a - b) };
}

/** The values that depend on more than timesteps and labels. */
function imageValues(graph: OpGraph): ReadonlySet<number> {
  const image = new Set(
    portsOf(graph).flatMap(({ spec: { encoding }, value }) =>
      encoding === 'timestep' || encoding === 'label' ? [] : [value],
    ),
  );
  graph.nodes.forEach((node, id) => {
    if (node.inputs.some((input) => image.has(input))) image.add(id);
  });
  return image;
}
