// Where values stand. On a processor a storage texture is read at half the cost of a buffer, and a kernel that reads
// textures is a tenth of the code: convolutions, attention and what is between them keep activations in textures. The
// interface, the time path and the few ops that are rarely used keep them in buffers; where the two meet, a transfer
// brings a value from one to the other.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Target } from '../target.ts';
import { givenTo, type Resource, readsOf, resourceName, takenFrom, writesOf } from './resources.ts';
import type { FusionGroup, Home, ScheduledGroup } from './schedule.ts';
import { nodeOf } from './values.ts';

/** Texels of a row of a storage texture; a value fills rows in the order of its vectors. */
export const TEXTURE_WIDTH = 2048;

/** Where a group's kernel reads and writes activations. */
export function homeOf(
  graph: OpGraph,
  group: FusionGroup | { readonly kind: 'statistics' },
  target: Target,
): Home {
  if (target.products !== 'subgroup') return 'buffer';
  switch (group.kind) {
    case 'conv':
    case 'map':
    case 'statistics':
      return 'texture';
    case 'attention': {
      const { type, attrs } = nodeOf(graph, group.anchor, 'attention');
      return (type.shape[1]! / attrs.heads) % 4 === 0 ? 'texture' : 'buffer';
    }
    case 'linear':
    case 'gather_channels':
    case 'avg_pool':
    case 'upsample_linear':
    case 'embedding':
      return 'buffer';
  }
}

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
