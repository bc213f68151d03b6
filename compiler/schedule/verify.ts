// Invariants of a schedule: every value is written once, before it is read, and every output is written.

import { invariant } from '../diagnostics.ts';
import { nodesOf } from './cost.ts';
import type { Schedule } from './schedule.ts';
import { valuesRead } from './storage.ts';
import { isComputed, resolveView } from './values.ts';

/** Throws InternalError naming the group that breaks an invariant. */
export function verifySchedule({ graph, groups }: Schedule): void {
  // `home value`, and the values whose statistics and whose scale and shift are written
  const ready = new Set<string>();
  const statistics = new Set<number>();
  const affine = new Set<number>();
  graph.nodes.forEach((_, id) => {
    if (!isComputed(graph, id) && resolveView(graph, id).value === id) ready.add(`buffer ${id}`);
  });
  const computed = new Map<number, number>();
  groups.forEach((group, i) => {
    const at = `group #${i} (${group.kind} %${group.anchor}, ${graph.nodes[group.anchor]!.path})`;
    for (const { value, home } of valuesRead(graph, group))
      invariant(ready.has(`${home} ${value}`), `${at} reads %${value} before it is in a ${home}`);
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
    if (group.kind === 'affine') {
      affine.add(group.anchor);
      return;
    }
    if (group.affine)
      invariant(affine.has(group.prologue[0]!.node), `${at} lacks the scale and shift of its norm`);
    for (const id of nodesOf(group)) {
      invariant(!computed.has(id), `${at} computes %${id}, as group #${computed.get(id)} does`);
      computed.set(id, i);
    }
    const result = `${group.home} ${group.result}`;
    invariant(!ready.has(result), `${at} writes %${group.result} a second time`);
    ready.add(result);
    if (group.writes) statistics.add(group.result);
  });
  for (const { name, value } of graph.outputs) {
    const written = ready.has(`buffer ${resolveView(graph, value).value}`);
    invariant(written, `output ${name} is never written`);
  }
}
