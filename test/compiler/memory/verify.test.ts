// The verifier of memory plans finds what is broken on purpose.

import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { InternalError } from '../../../compiler/diagnostics.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import type { MemoryPlan } from '../../../compiler/memory/plan.ts';
import { verifyMemory } from '../../../compiler/memory/verify.ts';
import { SOFTWARE } from '../../../compiler/target.ts';
import { goldenGraph } from '../../golden-cases.ts';

const { graph } = loadGraph(goldenGraph('tiny-film'), 'tiny-film');
const { memory: plan } = compileGraph(graph, { target: SOFTWARE });

/** The plan with one resource in another slot. */
function moved(name: string, slot: number): MemoryPlan {
  const slotOf = new Map(plan.slotOf);
  for (const key of slotOf.keys()) if (key === name) slotOf.set(key, slot);
  return { ...plan, slotOf };
}

test('the plan of a model passes', () => {
  expect(() => verifyMemory(plan)).not.toThrow();
});

describe('corruptions', () => {
  test('any resource put beside one that lives at the same time', () => {
    let tried = 0;
    for (const a of plan.lifetimes) {
      for (const b of plan.lifetimes) {
        const overlap = a.name !== b.name && a.first <= b.last && b.first <= a.last;
        if (!overlap || a.storage !== b.storage) continue;
        tried++;
        expect(() => verifyMemory(moved(a.name, plan.slotOf.get(b.name)!))).toThrow(InternalError);
      }
    }
    expect(tried).toBeGreaterThan(100);
  });

  test('any slot a byte smaller', () => {
    plan.slots.forEach((_, slot) => {
      const slots = plan.slots.map((s, i) => (i === slot ? { ...s, bytes: s.bytes - 1 } : s));
      expect(() => verifyMemory({ ...plan, slots })).toThrow(/needs \d+ bytes, slot/);
    });
  });

  test('any slot of the other kind', () => {
    expect(plan.slots.some((s) => s.storage === 'texture')).toBe(true);
    plan.slots.forEach((_, slot) => {
      const other = { buffer: 'texture', texture: 'buffer' } as const;
      const slots = plan.slots.map((s, i) => (i === slot ? { ...s, storage: other[s.storage] } : s));
      expect(() => verifyMemory({ ...plan, slots })).toThrow(/expected a (buffer|texture)/);
    });
  });

  test('any resource without a slot, or in one that does not exist', () => {
    for (const { name } of plan.lifetimes) {
      const slotOf = new Map(plan.slotOf);
      slotOf.delete(name);
      expect(() => verifyMemory({ ...plan, slotOf })).toThrow(`%${name} has no slot`);
      expect(() => verifyMemory(moved(name, plan.slots.length))).toThrow(`%${name} has no slot`);
    }
  });
});
