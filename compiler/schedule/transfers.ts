// Where a group reads a value elsewhere than it was written, in a buffer or in a texture, a transfer brings it across.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { givenTo, type Resource, readsOf, resourceName, takenFrom, writesOf } from './resources.ts';
import type { ScheduledGroup } from './schedule.ts';

/** Inserts a transfer before the first group that reads a value where it is not, and behind the last for outputs. */
export function insertTransfers(
  graph: OpGraph,
  groups: readonly ScheduledGroup[],
): readonly ScheduledGroup[] {
  const standing = new Set(givenTo(graph).map(({ resource }) => resourceName(resource)));
  const scheduled: ScheduledGroup[] = [];
  const demand = (resource: Resource) => {
    const name = resourceName(resource);
    if (resource.kind !== 'value' || standing.has(name)) return;
    standing.add(name);
    scheduled.push({ kind: 'transfer', result: resource.value, home: resource.home });
  };
  for (const group of groups) {
    for (const { resource } of readsOf(graph, group)) demand(resource);
    scheduled.push(group);
    for (const { resource } of writesOf(graph, group)) standing.add(resourceName(resource));
  }
  for (const resource of takenFrom(graph)) demand(resource);
  return scheduled;
}
