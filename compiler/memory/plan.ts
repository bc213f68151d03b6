// Activations in slots: values that are never alive together share a buffer. A slot is one GPUBuffer, so no
// dispatch reads and writes the same one.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { affineBytes, bytesOf, statisticsBytes } from '../schedule/cost.ts';
import type { Home, Schedule, ScheduledGroup } from '../schedule/schedule.ts';
import { valuesRead } from '../schedule/storage.ts';
import { resolveView } from '../schedule/values.ts';
import { inputPlaneBytes, outputPlaneBytes, samplesAtOnce } from '../schedule/winograd.ts';

/**
 * Something that needs memory while it is alive: `v12` a value in a buffer, `x12` one in a texture, `s12` its
 * statistics, `m12` its merged statistics, `a12` the scale and shift that norm or FiLM 12 comes to. Of a convolution
 * by Winograd's algorithm `t12` is the transformed input and `p12` the products.
 */
export type Storage = `${'v' | 'x' | 's' | 'm' | 'a' | 't' | 'p'}${number}`;

/** The storage of a value that stands in a buffer or in a texture. */
export function storageOf(value: number, home: Home): Storage {
  return `${home === 'texture' ? 'x' : 'v'}${value}`;
}

/** Storages that are textures. */
const TEXTURES = /^[xatp]/;

export interface MemoryPlan {
  readonly slots: readonly Slot[];
  readonly slotOf: ReadonlyMap<Storage, number>;
  /** Groups (by index; -1 before the first) from which and up to which each storage is alive. */
  readonly lifetimes: readonly Lifetime[];
}

/** A buffer or a storage texture that values take in turn. */
export interface Slot {
  readonly bytes: number;
  readonly storage: 'buffer' | 'texture';
}

export interface Lifetime {
  readonly storage: Storage;
  readonly texture: boolean;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Bytes of all slots, and what the same storages would take without sharing. */
export function memoryTotals(plan: MemoryPlan): { readonly shared: number; readonly unshared: number } {
  const sum = (sizes: readonly number[]) => sizes.reduce((total, bytes) => total + bytes, 0);
  return { shared: sum(plan.slots.map((s) => s.bytes)), unshared: sum(plan.lifetimes.map((l) => l.bytes)) };
}

/** Orders in which storages are given slots; none is best for every graph. */
const ORDERS: readonly ((a: Lifetime, b: Lifetime) => number)[] = [
  (a, b) => a.first - b.first || b.bytes - a.bytes,
  (a, b) => b.bytes - a.bytes || a.first - b.first,
  (a, b) => b.last - b.first - (a.last - a.first) || b.bytes - a.bytes,
];

/**
 * Assigns every storage of a schedule a slot: in each of several orders the free slot that fits best, and of these plans
 * the one that takes least.
 */
export function planMemory(schedule: Schedule): MemoryPlan {
  const lifetimes = lifetimesOf(schedule);
  const plans = ORDERS.map((order) => assignSlots(lifetimes, lifetimes.toSorted(order)));
  return plans.reduce((best, plan) => (memoryTotals(plan).shared < memoryTotals(best).shared ? plan : best));
}

function assignSlots(lifetimes: readonly Lifetime[], order: readonly Lifetime[]): MemoryPlan {
  const slots: Slot[] = [];
  const tenants: Lifetime[][] = [];
  const slotOf = new Map<Storage, number>();
  for (const tenant of order) {
    const storage = tenant.texture ? 'texture' : 'buffer';
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
    slotOf.set(tenant.storage, slot);
  }
  return { slots, slotOf, lifetimes };
}

/** Whether a slot suits better than one before it: the smallest that holds a storage, else the one that grows least. */
function fitsBetter({ bytes }: Lifetime, slot: Slot, than: Slot): boolean {
  const holds = slot.bytes >= bytes;
  if (holds !== than.bytes >= bytes) return holds;
  return holds ? slot.bytes < than.bytes : slot.bytes >= than.bytes;
}

function lifetimesOf(schedule: Schedule): readonly Lifetime[] {
  const { graph, groups } = schedule;
  const found = new Map<Storage, { bytes: number; first: number; last: number }>();
  const write = (storage: Storage, bytes: number, at: number) =>
    found.set(storage, { bytes, first: at, last: at });
  const read = (storage: Storage, at: number) => {
    found.get(storage)!.last = at;
  };
  graph.nodes.forEach((node, id) => {
    if (node.op === 'timestep_embedding' || (node.op === 'input' && node.attrs.name !== 'timesteps')) {
      write(`v${id}`, inputBytes(graph, id), -1);
    }
  });
  groups.forEach((group, at) => {
    for (const storage of storagesRead(graph, group)) read(storage, at);
    for (const [storage, bytes] of storagesWritten(graph, group)) write(storage, bytes, at);
  });
  for (const { value } of graph.outputs) read(`v${resolveView(graph, value).value}`, groups.length);
  return [...found]
    .map(([storage, life]) => ({ storage, texture: TEXTURES.test(storage), ...life }))
    .sort((a, b) => a.first - b.first || b.bytes - a.bytes);
}

function inputBytes(graph: OpGraph, id: number): number {
  const { type } = graph.nodes[id]!;
  return type.dtype === 'u32' ? Math.ceil(type.shape[0]! / 4) * 16 : bytesOf(graph, id);
}

function storagesRead(graph: OpGraph, group: ScheduledGroup): readonly Storage[] {
  if (group.kind === 'merge_statistics') return [`s${group.result}`];
  const statistics = group.reads.map(
    (tiles, i): Storage => `${tiles.merged ? 'm' : 's'}${group.sources[i]!}`,
  );
  const values = valuesRead(graph, group).map(({ value, home }) => storageOf(value, home));
  const affine: readonly Storage[] = group.affine ? [`a${group.prologue[0]!.node}`] : [];
  return [...values, ...statistics, ...affine];
}

function storagesWritten(graph: OpGraph, group: ScheduledGroup): readonly (readonly [Storage, number])[] {
  if (group.kind === 'affine') return [[`a${group.anchor}`, affineBytes(graph, group)]];
  const tiles = group.writes;
  const statistics: (readonly [Storage, number])[] = tiles
    ? [[`${tiles.merged ? 'm' : 's'}${group.result}`, statisticsBytes(graph, group.result, tiles)]]
    : [];
  if (group.kind === 'statistics' || group.kind === 'merge_statistics') return statistics;
  const planes: (readonly [Storage, number])[] = [];
  if (group.winograd) {
    const samples = samplesAtOnce(graph, group, group.winograd);
    planes.push(
      [`t${group.result}`, samples * inputPlaneBytes(graph, group, group.winograd)],
      [`p${group.result}`, samples * outputPlaneBytes(graph, group, group.winograd)],
    );
  }
  return [[storageOf(group.result, group.home), bytesOf(graph, group.result)], ...planes, ...statistics];
}
