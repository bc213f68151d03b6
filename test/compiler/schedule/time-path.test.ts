// The time path: it stands in front, needs nothing of the image, and what others take from it is all that they take.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { readsOf } from '../../../compiler/schedule/resources.ts';
import type { Schedule, ScheduledGroup } from '../../../compiler/schedule/schedule.ts';
import { timePathOf } from '../../../compiler/schedule/time-path.ts';
import { SOFTWARE, TARGETS } from '../../../compiler/target.ts';
import { inputsReadFrom } from '../../../runtime/passes.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { goldenGraph } from '../../golden-cases.ts';

/** The values that a group reads. */
const valuesRead = (graph: Schedule['graph'], group: ScheduledGroup) =>
  readsOf(graph, group).flatMap(({ resource }) => (resource.kind === 'value' ? [resource] : []));

describe('tiny-additive-class', () => {
  const { graph } = loadGraph(goldenGraph('tiny-additive-class'), 'tiny-additive-class');
  const { schedule, bundle } = compileGraph(graph, { batch: 2, target: SOFTWARE });
  const path = timePathOf(schedule);

  test('begins with the embeddings and ends with the projections of all blocks', () => {
    const kinds = schedule.groups.slice(0, path.groups).map(({ kind }) => kind);
    expect(kinds).toEqual(['linear', 'embedding', 'linear', 'linear']);
    expect(path.values).toEqual([schedule.groups[path.groups - 1]!.result]);
  });

  test('the manifest says its dispatches and the rows that it leaves', () => {
    const { time_path, dispatches } = bundle.manifest;
    expect(time_path.dispatches).toBe(path.groups);
    const row = schedule.graph.nodes[path.values[0]!]!.type.shape[1]!;
    expect(time_path.values.map(({ bytes }) => bytes)).toEqual([2 * row * 4]);
    const written = dispatches[time_path.dispatches - 1]!.bindings.find(
      (b) => b.kind === 'slot' && b.access === 'read_write',
    );
    expect(written).toMatchObject({ slot: time_path.values[0]!.slot });
  });
});

test('on arbitrary graphs, nothing of the image reaches it, and its slots are nobody else’s before it is read', () => {
  fc.assert(
    fc.property(
      fc.oneof(arbitraryCompactGraph, arbitraryExplicitGraph),
      fc.boolean(),
      fc.constantFrom(...TARGETS),
      (spec, fuse, target) => {
        const { graph } = loadGraph(JSON.stringify(spec), 'arbitrary');
        const { schedule, memory, bundle } = compileGraph(graph, { fuse, target });
        const { groups, values } = timePathOf(schedule);
        const [time, rest] = [schedule.groups.slice(0, groups), schedule.groups.slice(groups)];
        const given = schedule.graph.nodes.flatMap((node, id) =>
          node.op === 'timestep_embedding' || (node.op === 'input' && node.attrs.name === 'y') ? [id] : [],
        );
        const known = new Set(given);
        for (const group of time) {
          for (const { value } of valuesRead(schedule.graph, group)) expect(known).toContain(value);
          known.add(group.result);
        }
        const taken = rest.flatMap((group) => valuesRead(schedule.graph, group)).map(({ value }) => value);
        const left = new Set(taken.filter((value) => known.has(value) && !given.includes(value)));
        if (groups > 0) expect(new Set(values)).toEqual(left);
        // the rest may write other values to where inputs of the time path stood
        const { dispatches, inputs, time_path } = bundle.manifest;
        const read = inputsReadFrom(time_path.dispatches, dispatches, inputs).map(({ slot }) => slot);
        const first = new Set(
          taken.flatMap((value) => {
            const { op } = schedule.graph.nodes[value]!;
            return op === 'input' || op === 'timestep_embedding' ? [memory.slotOf.get(`v${value}`)!] : [];
          }),
        );
        expect(new Set(read)).toEqual(first);
        for (const value of values) {
          const own = memory.lifetimes.find(({ name }) => name === `v${value}`)!;
          const neighbours = memory.lifetimes.filter(
            (l) => l !== own && memory.slotOf.get(l.name) === memory.slotOf.get(own.name),
          );
          // a copy that is made before the first group of the rest stays until it is read
          for (const { first, last } of neighbours) expect(last < groups || first > own.last).toBe(true);
        }
      },
    ),
    { numRuns: 60 },
  );
});
