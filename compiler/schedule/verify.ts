// Invariants of a schedule: every resource is written once, before it is read, and every output is written.

import { invariant } from '../diagnostics.ts';
import { nodesOf } from './cost.ts';
import { givenTo, readsOf, resourceName, resourceWords, takenFrom, writesOf } from './resources.ts';
import type { Schedule } from './schedule.ts';

/** Throws InternalError naming the group that breaks an invariant. */
export function verifySchedule({ graph, groups }: Schedule): void {
  const ready = new Set(givenTo(graph).map(({ resource }) => resourceName(resource)));
  const computed = new Map<number, number>();
  groups.forEach((group, i) => {
    const at = () => `group #${i} (${group.kind} %${group.result}, ${graph.nodes[group.result]!.path})`;
    if ('reads' in group)
      invariant(
        group.reads.length === 0 || group.reads.length === group.sources.length,
        () => `${at()} lacks the statistics of a source`,
      );
    for (const { resource } of readsOf(graph, group))
      invariant(
        ready.has(resourceName(resource)),
        () => `${at()} reads ${resourceWords(resource)} before it is written`,
      );
    for (const { resource } of writesOf(graph, group)) {
      const name = resourceName(resource);
      invariant(!ready.has(name), () => `${at()} writes ${resourceWords(resource)} a second time`);
      ready.add(name);
    }
    for (const id of nodesOf(group)) {
      invariant(!computed.has(id), () => `${at()} computes %${id}, as group #${computed.get(id)} does`);
      computed.set(id, i);
    }
  });
  takenFrom(graph).forEach((resource, i) => {
    invariant(ready.has(resourceName(resource)), () => `output ${graph.outputs[i]!.name} is never written`);
  });
}
