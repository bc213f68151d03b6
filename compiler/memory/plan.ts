// Activations in slots: resources that are never alive together share a buffer. A slot is one GPUBuffer, so no
// dispatch reads and writes the same one.

import { invariant } from '../diagnostics.ts';
import {
  givenTo,
  homeOfResource,
  type Resource,
  readsOf,
  resourceName,
  type SizedResource,
  takenFrom,
  writesOf,
  writtenAs,
} from '../schedule/resources.ts';
import type { Home, Schedule } from '../schedule/schedule.ts';
import { type Place, placeUpdate, type UpdatePlan } from './place-update.ts';

export interface MemoryPlan {
  readonly slots: readonly Slot[];
  /** The slot of each resource, by its name. */
  readonly slotOf: ReadonlyMap<string, number>;
  /** Where a resource stands that is a part of its slot, by its name; all others begin where their slot does. */
  readonly places: ReadonlyMap<string, Place>;
  /** Groups (by index; -1 before the first) from which and up to which each resource is alive. */
  readonly lifetimes: readonly Lifetime[];
}

/** A buffer or a storage texture that resources take in turn. */
export interface Slot {
  readonly bytes: number;
  readonly storage: Home;
}

export interface Lifetime extends SizedResource {
  readonly name: string;
  readonly storage: Home;
  readonly first: number;
  readonly last: number;
}

/** The slot of a resource. Throws InternalError where the plan has none. */
export function slotIn(plan: MemoryPlan, resource: Resource): number {
  const name = resourceName(resource);
  const slot = plan.slotOf.get(name);
  invariant(slot !== undefined, () => `%${name} has no slot`);
  return slot;
}

/** Where a resource stands in its slot; undefined where it has the whole of it. */
export function placeIn(plan: MemoryPlan, resource: Resource): Place | undefined {
  return plan.places.get(resourceName(resource));
}

/** Bytes of all slots, and what the same resources would take without sharing. */
export function memoryTotals(plan: MemoryPlan): { readonly shared: number; readonly unshared: number } {
  const sum = (sizes: readonly number[]) => sizes.reduce((total, bytes) => total + bytes, 0);
  return { shared: sum(plan.slots.map((s) => s.bytes)), unshared: sum(plan.lifetimes.map((l) => l.bytes)) };
}

/** What stands in a slot for the time of one group alone, such as weights that are packed for it. */
export interface Passing extends SizedResource {
  /** The group, by its index; of what a pass behind the groups uses, null: ports of other passes have slots of their own. */
  readonly at: number | null;
}

const NONE: UpdatePlan = { standing: [], passing: [], places: new Map() };

/** Orders in which resources are given slots; none is best for every graph. */
const ORDERS: readonly ((a: Lifetime, b: Lifetime) => number)[] = [
  (a, b) => a.first - b.first || b.bytes - a.bytes,
  (a, b) => b.bytes - a.bytes || a.first - b.first,
  (a, b) => b.last - b.first - (a.last - a.first) || b.bytes - a.bytes,
];

/**
 * Assigns every resource of a schedule a slot: in each of several orders the free slot that fits best, and of these plans
 * the one that takes least. `passing` is what code generation needs beside the schedule's own.
 */
export function planMemory(schedule: Schedule, passing: readonly Passing[] = []): MemoryPlan {
  const update = schedule.update === null ? NONE : placeUpdate(schedule.update);
  const own = lifetimesOf(schedule, passing).filter(({ name }) => !update.places.has(name));
  const arenas = update.passing.map(({ resource, bytes, first, last }) =>
    tenantOf({ resource, bytes }, first, last),
  );
  const lifetimes = [...own, ...arenas].sort((a, b) => a.first - b.first || b.bytes - a.bytes);
  const plans = ORDERS.map((order) => assignSlots(lifetimes, lifetimes.toSorted(order)));
  const best = plans.reduce((a, b) => (memoryTotals(b).shared < memoryTotals(a).shared ? b : a));
  return schedule.update === null ? best : withUpdate(best, update, schedule.groups.length);
}

/** A plan with slots more behind its own, which nothing shares, and with what is a part of a slot. */
function withUpdate(plan: MemoryPlan, { standing, places }: UpdatePlan, last: number): MemoryPlan {
  const own = standing.map((one) => tenantOf(one, -1, last));
  const slots = [...plan.slots, ...own.map(({ bytes, storage }) => ({ bytes, storage }))];
  const slotOf = new Map(plan.slotOf);
  for (const [i, { name }] of own.entries()) slotOf.set(name, plan.slots.length + i);
  for (const [name, { within }] of places) slotOf.set(name, slotOf.get(within)!);
  return { slots, slotOf, places, lifetimes: [...plan.lifetimes, ...own] };
}

function tenantOf({ resource, bytes }: SizedResource, first: number, last: number): Lifetime {
  const [name, storage] = [resourceName(resource), homeOfResource(resource)];
  return { resource, name, bytes, storage, first, last };
}

function assignSlots(lifetimes: readonly Lifetime[], order: readonly Lifetime[]): MemoryPlan {
  const slots: Slot[] = [];
  const tenants: Lifetime[][] = [];
  const slotOf = new Map<string, number>();
  for (const tenant of order) {
    const { storage } = tenant;
    const apart = (other: Lifetime) => other.last < tenant.first || tenant.last < other.first;
    let best: number | null = null;
    slots.forEach((s, slot) => {
      const better = best === null || fitsBetter(tenant, s, slots[best]!);
      if (s.storage === storage && better && tenants[slot]!.every(apart)) best = slot;
    });
    const slot: number = best ?? slots.length;
    slots[slot] = { storage, bytes: Math.max(slots[slot]?.bytes ?? 0, tenant.bytes) };
    tenants[slot] ??= [];
    tenants[slot].push(tenant);
    slotOf.set(tenant.name, slot);
  }
  return { slots, slotOf, places: new Map(), lifetimes };
}

/** Whether a slot suits better than one before it: the smallest that holds a resource, else the one that grows least. */
function fitsBetter({ bytes }: Lifetime, slot: Slot, than: Slot): boolean {
  const holds = slot.bytes >= bytes;
  if (holds !== than.bytes >= bytes) return holds;
  return holds ? slot.bytes < than.bytes : slot.bytes >= than.bytes;
}

function lifetimesOf({ graph, groups }: Schedule, passing: readonly Passing[]): readonly Lifetime[] {
  const found = new Map<string, { -readonly [K in keyof Lifetime]: Lifetime[K] }>();
  const write = ({ resource, bytes }: SizedResource, at: number) => {
    const name = resourceName(resource);
    found.set(name, { resource, name, bytes, storage: homeOfResource(resource), first: at, last: at });
  };
  const writeAtOnce = (written: SizedResource, at: number) => {
    write(written, at);
    const { resource, bytes } = written;
    if (writtenAs(resource) !== resource) write({ resource: writtenAs(resource), bytes }, at);
  };
  const read = (resource: Resource, at: number) => {
    found.get(resourceName(resource))!.last = at;
  };
  for (const given of givenTo(graph)) write(given, -1);
  groups.forEach((group, at) => {
    for (const { resource } of readsOf(graph, group)) read(resource, at);
    for (const written of writesOf(graph, group)) writeAtOnce(written, at);
  });
  for (const { at, ...one } of passing) {
    writeAtOnce(one, at ?? -1);
    if (at === null) read(one.resource, groups.length);
  }
  for (const resource of takenFrom(graph)) read(resource, groups.length);
  return [...found.values()].sort((a, b) => a.first - b.first || b.bytes - a.bytes);
}
