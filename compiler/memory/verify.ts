// Invariants of a memory plan: resources that are alive together have slots of their own, and every slot is large
// enough for what lives in it.

import { invariant } from '../diagnostics.ts';
import type { MemoryPlan } from './plan.ts';

/** Throws InternalError naming two resources that overlap, or one that does not fit. */
export function verifyMemory(plan: MemoryPlan): void {
  const tenants = plan.slots.map((): { name: string; last: number } | null => null);
  for (const { name, storage, bytes, first, last } of plan.lifetimes) {
    const slot = plan.slotOf.get(name);
    invariant(slot !== undefined && plan.slots[slot], `%${name} has no slot`);
    const { bytes: room, storage: kind } = plan.slots[slot];
    invariant(room >= bytes, `%${name} needs ${bytes} bytes, slot ${slot} has ${room}`);
    invariant(kind === storage, `%${name} is in a ${kind}, expected a ${storage}`);
    const before = tenants[slot];
    invariant(
      !before || before.last < first,
      `%${before?.name} and %${name} are alive together in slot ${slot}`,
    );
    tenants[slot] = { name, last };
  }
  verifyPlaces(plan);
}

/** Resources that are parts of a slot lie in it, one behind the other. */
function verifyPlaces({ places, slotOf, slots }: MemoryPlan): void {
  const ends = new Map<number, number>();
  for (const [name, { offset, bytes }] of places) {
    const slot = slotOf.get(name);
    invariant(slot !== undefined, `%${name} has a place and no slot`);
    const before = ends.get(slot) ?? 0;
    invariant(offset >= before, `%${name} begins at byte ${offset} of slot ${slot}, before ${before}`);
    const room = slots[slot]!.bytes;
    invariant(offset + bytes <= room, `%${name} ends at byte ${offset + bytes} of slot ${slot} of ${room}`);
    ends.set(slot, offset + bytes);
  }
}
