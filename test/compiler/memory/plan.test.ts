// Memory plans as a property: whatever the graph, nothing that is alive shares memory with anything else.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { type MemoryPlan, memoryTotals, planMemory } from '../../../compiler/memory/plan.ts';
import { printMemory } from '../../../compiler/memory/print.ts';
import { verifyMemory } from '../../../compiler/memory/verify.ts';
import { buildSchedule } from '../../../compiler/schedule/build.ts';
import { readsOf, resourceName, takenFrom, writesOf } from '../../../compiler/schedule/resources.ts';
import { GENERIC, SOFTWARE, TARGETS } from '../../../compiler/target.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { graphOf } from '../../fixtures/text.ts';

const compilations = fc
  .record({
    spec: fc.oneof(arbitraryCompactGraph, arbitraryExplicitGraph),
    batch: fc.integer({ min: 1, max: 5 }),
    taps: fc.boolean(),
    fuse: fc.boolean(),
    target: fc.constantFrom(...TARGETS),
  })
  .map(({ spec, ...options }) => compileGraph(loadGraph(JSON.stringify(spec), 'arbitrary').graph, options));

/** Every pair of resources in one slot, in order of birth. */
function neighbours(plan: MemoryPlan) {
  const bySlot = plan.slots.map((_, slot) => plan.lifetimes.filter((l) => plan.slotOf.get(l.name) === slot));
  return bySlot.flatMap((lives) => lives.slice(1).map((life, i) => ({ before: lives[i]!, after: life })));
}

test('on arbitrary graphs, resources share slots and never meet', () => {
  fc.assert(
    fc.property(compilations, ({ schedule, memory, bundle }) => {
      verifyMemory(memory);
      for (const { name, bytes } of memory.lifetimes) {
        const slot = memory.slotOf.get(name)!;
        expect(memory.slots[slot]!.bytes, name).toBeGreaterThanOrEqual(bytes);
      }
      for (const { before, after } of neighbours(memory)) expect(before.last).toBeLessThan(after.first);
      const { shared, unshared } = memoryTotals(memory);
      expect(shared).toBeLessThanOrEqual(unshared);

      // what a group reads was written before and lives until then, by the schedule alone
      const life = new Map(memory.lifetimes.map((l) => [l.name, l]));
      schedule.groups.forEach((group, at) => {
        for (const { resource, bytes } of readsOf(schedule.graph, group)) {
          const one = life.get(resourceName(resource))!;
          expect(one.first).toBeLessThan(at);
          expect(one.last).toBeGreaterThanOrEqual(at);
          expect(one.bytes).toBe(bytes);
        }
        for (const { resource } of writesOf(schedule.graph, group))
          expect(life.get(resourceName(resource))!.first).toBe(at);
      });
      for (const resource of takenFrom(schedule.graph))
        expect(life.get(resourceName(resource))!.last).toBe(schedule.groups.length);

      for (const { bindings } of bundle.manifest.dispatches) {
        const slots = (access: string) =>
          bindings.flatMap((b) => (b.kind === 'slot' && b.access === access ? [b.slot] : []));
        const written = slots('read_write');
        expect(new Set(written).size).toBe(written.length);
        expect(slots('read').filter((slot) => written.includes(slot))).toEqual([]);
      }
    }),
    { numRuns: 40 },
  );
});

describe('a chain of maps', () => {
  const chain = (links: number) => {
    const lines = Array.from({ length: links }, (_, i) => `%${i + 1} = silu(%${i})`);
    return graphOf(
      ['%0 = input() {name="x", type=f32[1,4,2]}', ...lines, `return output=%${links}`].join('\n'),
    );
  };

  test('needs two slots, however long', () => {
    const plan = planMemory(buildSchedule(chain(9), GENERIC));
    expect(plan.slots).toEqual([
      { bytes: 32, storage: 'buffer' },
      { bytes: 32, storage: 'buffer' },
    ]);
    expect(memoryTotals(plan)).toEqual({ shared: 64, unshared: 320 });
  });

  test('is printed with the lives of what is in each slot', () => {
    expect(printMemory(planMemory(buildSchedule(chain(3), GENERIC)))).toBe(`\
slot 0  buffer  32 bytes  %v0 [-1, 0] %v2 [1, 2]
slot 1  buffer  32 bytes  %v1 [0, 1] %v3 [2, 3]
peak 64 bytes in 2 slots, 128 bytes without reuse
`);
  });
});

test('a value in a texture has a slot of its own kind', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    %2 = param() {name="a.weight", shape=[4, 4, 1]}
    %3 = param() {name="a.bias", shape=[4]}
    %4 = conv(%1, %2, %3) {stride=[1], padding=[0]}
    %5 = avg_pool(%4) {kernel=[2]}
    return output=%5`;
  const storages = (plan: MemoryPlan) => plan.slots.map((s) => s.storage);
  expect(storages(planMemory(buildSchedule(graphOf(text), SOFTWARE)))).toContain('texture');
  expect(storages(planMemory(buildSchedule(graphOf(text), GENERIC)))).not.toContain('texture');
});

test('an output is kept to the end, an input until it is read last', () => {
  const text = `
    %0 = input() {name="x", type=f32[1,4,2]}
    %1 = silu(%0)
    %2 = silu(%1)
    %3 = add(%2, %0)
    return output=%3, middle=%1`;
  const { lifetimes } = planMemory(buildSchedule(graphOf(text), GENERIC));
  expect(lifetimes.map(({ name, first, last }) => [name, first, last])).toEqual([
    ['v0', -1, 2],
    ['v1', 0, 3],
    ['v2', 1, 2],
    ['v3', 2, 3],
  ]);
});
