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

/** Resources that are parts of another one lie in it, one behind the other. */
function verifyPlaces({ places, slotOf, lifetimes }: MemoryPlan): void {
  const ends = new Map<string, number>();
  const rooms = new Map(lifetimes.map(({ name, bytes }) => [name, bytes]));
  for (const [name, { within, offset, bytes }] of places) {
    const room = rooms.get(within);
    invariant(room !== undefined, `%${name} is a part of %${within}, which is not there`);
    const [slot, other] = [slotOf.get(name), slotOf.get(within)];
    invariant(slot === other, `%${name} is in slot ${slot}, and %${within} in slot ${other}`);
    const before = ends.get(within) ?? 0;
    invariant(offset >= before, `%${name} begins at byte ${offset} of %${within}, before ${before}`);
    invariant(offset + bytes <= room, `%${name} ends at byte ${offset + bytes} of %${within} of ${room}`);
    ends.set(within, offset + bytes);
  }
}
