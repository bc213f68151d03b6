// Invariants of a memory plan: storages that are alive together have slots of their own, and every slot is large
// enough for what lives in it.

import { invariant } from '../diagnostics.ts';
import type { MemoryPlan } from './plan.ts';

/** Throws InternalError naming two storages that overlap, or one that does not fit. */
export function verifyMemory(plan: MemoryPlan): void {
  const tenants = plan.slots.map((): { storage: string; last: number } | null => null);
  for (const { storage, texture, bytes, first, last } of plan.lifetimes) {
    const slot = plan.slotOf.get(storage);
    invariant(slot !== undefined && plan.slots[slot], `%${storage} has no slot`);
    invariant(
      plan.slots[slot]!.bytes >= bytes,
      `%${storage} needs ${bytes} bytes, slot ${slot} has ${plan.slots[slot]!.bytes}`,
    );
    const kind = texture ? 'texture' : 'buffer';
    invariant(
      plan.slots[slot]!.storage === kind,
      `%${storage} is in a ${plan.slots[slot]!.storage}, expected a ${kind}`,
    );
    const before = tenants[slot];
    invariant(
      !before || before.last < first,
      `%${before?.storage} and %${storage} are alive together in slot ${slot}`,
    );
    tenants[slot] = { storage, last };
  }
}
