// The verifier of schedules finds what is broken on purpose.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { InternalError } from '../../../compiler/diagnostics.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { nodesOf } from '../../../compiler/schedule/cost.ts';
import { readsOf, resourceName, writesOf } from '../../../compiler/schedule/resources.ts';
import type { Schedule, ScheduledGroup } from '../../../compiler/schedule/schedule.ts';
import { isComputed } from '../../../compiler/schedule/values.ts';
import { verifySchedule } from '../../../compiler/schedule/verify.ts';
import { SOFTWARE, TARGETS } from '../../../compiler/target.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { goldenGraph } from '../../golden-cases.ts';

const { graph } = loadGraph(goldenGraph('tiny-film'), 'tiny-film');
const { schedule } = compileGraph(graph, {});
const { groups } = schedule;
const software = compileGraph(graph, { target: SOFTWARE }).schedule;

const withGroups = (changed: readonly ScheduledGroup[]): Schedule => ({ ...schedule, groups: changed });

describe('corruptions', () => {
  test('any group left out, but one that only writes statistics nobody reads', () => {
    groups.forEach((_, i) => {
      const others = groups.filter((_, k) => k !== i);
      expect(() => verifySchedule(withGroups(others)), `#${i}`).toThrow(InternalError);
    });
  });

  test('any group done twice', () => {
    groups.forEach((group, i) => {
      const doubled = [...groups.slice(0, i), group, ...groups.slice(i)];
      expect(() => verifySchedule(withGroups(doubled)), `#${i}`).toThrow(InternalError);
    });
  });

  test('any group before one whose result it reads', () => {
    let tried = 0;
    groups.forEach((group, i) => {
      const read = readsOf(schedule.graph, group).map(({ resource }) => resourceName(resource));
      const producer = groups.findIndex((g) =>
        writesOf(schedule.graph, g).some(({ resource }) => read.includes(resourceName(resource))),
      );
      if (producer < 0 || producer > i) return;
      tried++;
      const early = [
        ...groups.slice(0, producer),
        group,
        ...groups.slice(producer).filter((g) => g !== group),
      ];
      expect(() => verifySchedule(withGroups(early)), `#${i}`).toThrow(
        /reads (statistics of )?%\d+( in a buffer)? before it is written/,
      );
    });
    expect(tried).toBeGreaterThan(10);
  });

  test('statistics that no one writes', () => {
    const without = groups.map((group) => (group.kind === 'conv' ? { ...group, writes: null } : group));
    expect(() => verifySchedule(withGroups(without))).toThrow(
      /reads statistics of %\d+ before it is written/,
    );
  });

  test('any group left out of a schedule that keeps activations in textures', () => {
    software.groups.forEach((_, i) => {
      const others = software.groups.filter((_, k) => k !== i);
      expect(() => verifySchedule({ ...software, groups: others }), `#${i}`).toThrow(InternalError);
    });
  });

  test('statistics of one source of two', () => {
    const short = groups.map((group) =>
      'reads' in group ? { ...group, reads: group.reads.slice(0, 1) } : group,
    );
    expect(() => verifySchedule(withGroups(short))).toThrow('lacks the statistics of a source');
  });
});

test('on arbitrary graphs, every op is computed once, fused or not', () => {
  const specs = fc.oneof(arbitraryCompactGraph, arbitraryExplicitGraph);
  fc.assert(
    fc.property(
      specs,
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom(...TARGETS),
      (spec, taps, fuse, target) => {
        const loaded = loadGraph(JSON.stringify(spec), 'arbitrary').graph;
        const compiled = compileGraph(loaded, { taps, fuse, target }).schedule;
        const computed = compiled.groups.flatMap(nodesOf);
        const once = new Set(computed);
        expect(once.size).toBe(computed.length);
        // a fused concat is how a group reads, a fused skip is how it sums: neither is an op of its own any more
        const left = compiled.graph.nodes.filter((_, id) => isComputed(compiled.graph, id) && !once.has(id));
        const silent = fuse ? ['concat', 'add'] : [];
        expect(left.map((node) => node.op).filter((op) => !silent.includes(op))).toEqual([]);
      },
    ),
    { numRuns: 40 },
  );
});
