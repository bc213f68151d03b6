// Invariants of a schedule: every value is written once, before it is read, and every output is written.

import { invariant } from '../diagnostics.ts';
import { nodesOf } from './cost.ts';
import { readsOf } from './groups.ts';
import type { Schedule } from './schedule.ts';
import { isComputed, resolveView } from './values.ts';

/** Throws InternalError naming the group that breaks an invariant. */
export function verifySchedule({ graph, groups }: Schedule): void {
  const ready = new Set<number>();
  const statistics = new Set<number>();
  graph.nodes.forEach((node, id) => {
    if (!isComputed(node) && node.op !== 'reshape' && node.op !== 'slice') ready.add(id);
  });
  const computed = new Map<number, number>();
  groups.forEach((group, i) => {
    const at = `group #${i} (%${group.anchor}, ${graph.nodes[group.anchor]!.path})`;
    for (const value of readsOf(group))
      invariant(ready.has(value), `${at} reads %${value} before it is written`);
    if (group.kind === 'merge_statistics')
      invariant(statistics.has(group.result), `${at} merges statistics nobody wrote`);
    if (group.kind === 'statistics' || group.kind === 'merge_statistics') {
      statistics.add(group.result);
      return;
    }
    if (group.reads.length > 0) {
      invariant(group.reads.length === group.sources.length, `${at} lacks the statistics of a source`);
      for (const value of group.sources)
        invariant(statistics.has(value), `${at} reads statistics of %${value} that nobody wrote`);
    }
    for (const id of nodesOf(group)) {
      invariant(!computed.has(id), `${at} computes %${id}, as group #${computed.get(id)} does`);
      computed.set(id, i);
    }
    invariant(!ready.has(group.result), `${at} writes %${group.result} a second time`);
    ready.add(group.result);
    if (group.writes) statistics.add(group.result);
  });
  for (const { name, value } of graph.outputs) {
    invariant(ready.has(resolveView(graph, value).value), `output ${name} is never written`);
  }
}
