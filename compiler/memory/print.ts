// The memory plan as text: one line a slot with what lives in it, then the totals.

import { type MemoryPlan, memoryTotals } from './plan.ts';

export function printMemory(plan: MemoryPlan): string {
  const lines = plan.slots.map(({ bytes, storage }, slot) => {
    const lives = plan.lifetimes.filter((l) => plan.slotOf.get(l.name) === slot);
    const list = lives.map((l) => `%${l.name} [${l.first}, ${l.last}]`).join(' ');
    return `slot ${slot}  ${storage}  ${bytes} bytes  ${list}\n`;
  });
  const { shared, unshared } = memoryTotals(plan);
  return `${lines.join('')}peak ${shared} bytes in ${plan.slots.length} slots, ${unshared} bytes without reuse\n`;
}
