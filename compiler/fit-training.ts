// What training keeps of its forward pass and what it computes again, where a limit is given: blocks are given up one after the
// other, each time the one that frees most bytes for the work that it costs, at the moment at which most is alive; and weights
// that stand packed for several microbatches are packed before each use. What is given up changes no bit. Source: Kusumoto et
// al. 2019, arXiv:1905.11722, and PyTorch's activation memory budget, for bytes over time; the search is over whole plans.

import type { WeightBlob } from './codegen/kernel-call.ts';
import { type Lifetime, type MemoryPlan, memoryTotals } from './memory/plan.ts';
import { blockOf } from './passes/differentiate/blocks.ts';
import { costOf } from './schedule/cost.ts';
import { type Resource, readsOf, resourceName } from './schedule/resources.ts';
import type { Schedule } from './schedule/schedule.ts';
import type { Passing } from './schedule/update.ts';

/** What of a training batch is done twice to take less memory. */
export interface TrainingChoice {
  /** Paths of the blocks that the backward pass computes again. */
  readonly recomputed: readonly string[];
  /** Which weights are packed just before their use; undefined as without a limit. */
  readonly passing?: Passing | undefined;
}

/** A training batch that is scheduled and has its memory, without kernels. */
export interface PlannedTraining {
  readonly schedule: Schedule;
  readonly memory: MemoryPlan;
  /** Weights that stand as long as the program does. */
  readonly standing: readonly WeightBlob[];
}

/** What a block costs, kept or computed again. */
export interface BlockCost {
  readonly path: string;
  /** Bytes that the forward pass keeps of it for the backward pass. */
  readonly bytes: number;
  /** Floating-point operations that it takes to compute them again. */
  readonly flops: number;
}

/** Something that may be given up: bytes that are free then at groups `from` to `to`, and the work that it costs. */
interface Item {
  /** A block; null are the weights that stand packed. */
  readonly path: string | null;
  readonly frees: readonly { readonly from: number; readonly to: number; readonly bytes: number }[];
  readonly work: number;
}

/** Floating-point operations that moving a byte takes the time of: between what processors and GPUs have. */
const OPERATIONS_A_BYTE = 8;

/** Bytes of all slots and of the weights that stand. */
export function bytesOfTraining({ memory, standing }: Omit<PlannedTraining, 'schedule'>): number {
  return memoryTotals(memory).shared + standing.reduce((sum, { length }) => sum + 4 * length, 0);
}

/** What each of the blocks costs: of a batch that keeps all, and the same where all are computed again. */
export function blockCosts(
  kept: PlannedTraining,
  again: PlannedTraining,
  paths: readonly string[],
): readonly BlockCost[] {
  const frees = freesOf(kept, again, paths);
  const { graph, groups } = again.schedule;
  return paths.map((path) => ({
    path,
    bytes: frees.get(path)!.reduce((sum, { bytes }) => sum + bytes, 0),
    flops: repeatedGroups(again.schedule, path).reduce(
      (sum, at) => sum + costOf(graph, groups[at]!).flops,
      0,
    ),
  }));
}

/**
 * The choice that costs least among those that fit into `limit` bytes, on the one line from keeping all to giving up all that
 * helps, so that more memory never costs more work; where none fits, the one that takes least.
 */
export function fitTraining<T extends PlannedTraining>(
  limit: number,
  paths: readonly string[],
  planAt: (choice: TrainingChoice) => T,
): T {
  const kept = planAt({ recomputed: [] });
  if (bytesOfTraining(kept) <= limit) return kept;
  const again = planAt({ recomputed: paths });
  const line = lineOf(kept, itemsOf(kept, again, planAt({ recomputed: [], passing: 'all' }), paths));
  const planned = new Map<number, T>();
  const planOf = (given: number): T => {
    const known = planned.get(given);
    if (known !== undefined) return known;
    const items = line.slice(0, given);
    const gone = new Set(items.map(({ path }) => path));
    const plan = planAt({
      recomputed: paths.filter((path) => gone.has(path)),
      ...(gone.has(null) ? { passing: 'all' } : {}),
    });
    planned.set(given, plan);
    return plan;
  };
  let [fails, fits] = [0, line.length];
  if (bytesOfTraining(planOf(fits)) > limit) return smallest([kept, again, planOf(fits)]);
  while (fits - fails > 1) {
    const middle = Math.floor((fails + fits) / 2);
    if (bytesOfTraining(planOf(middle)) <= limit) fits = middle;
    else fails = middle;
  }
  return planOf(fits);
}

function smallest<T extends PlannedTraining>(plans: readonly T[]): T {
  return plans.reduce((a, b) => (bytesOfTraining(b) < bytesOfTraining(a) ? b : a));
}

function itemsOf(
  kept: PlannedTraining,
  again: PlannedTraining,
  passing: PlannedTraining,
  paths: readonly string[],
): readonly Item[] {
  const frees = freesOf(kept, again, paths);
  const blocks = paths.map(
    (path): Item => ({
      path,
      frees: frees.get(path)!,
      work: repeatedGroups(again.schedule, path).reduce((sum, at) => sum + workAt(again, at), 0),
    }),
  );
  const bytes = bytesOfTraining(kept) - bytesOfTraining(passing);
  const to = kept.schedule.groups.length;
  const weights: Item = { path: null, frees: [{ from: -1, to, bytes }], work: 2 * OPERATIONS_A_BYTE * bytes };
  return [...blocks, ...(bytes > 0 ? [weights] : [])];
}

/** The order in which items are given up: while something helps at the moment at which most is alive. */
function lineOf(kept: PlannedTraining, items: readonly Item[]): readonly Item[] {
  const alive = new Map<number, number>();
  const add = (from: number, to: number, bytes: number) => {
    for (let at = from; at <= to; at++) alive.set(at, (alive.get(at) ?? 0) + bytes);
  };
  for (const { first, last, bytes } of kept.memory.lifetimes) add(first, last, bytes);
  const left = new Set(items);
  const line: Item[] = [];
  for (;;) {
    const [peak] = [...alive].reduce((a, b) => (b[1] > a[1] ? b : a));
    const gain = ({ frees, work }: Item) =>
      frees.reduce((sum, { from, to, bytes }) => sum + (from <= peak && peak <= to ? bytes : 0), 0) / work;
    const best = [...left].reduce<Item | null>((a, b) => (a === null || gain(b) > gain(a) ? b : a), null);
    if (best === null || !(gain(best) > 0)) return line;
    left.delete(best);
    line.push(best);
    for (const { from, to, bytes } of best.frees) add(from, to, -bytes);
  }
}

/** What is free where a block is computed again, from its last use in the forward pass to its first in the backward pass. */
function freesOf(
  kept: PlannedTraining,
  again: PlannedTraining,
  paths: readonly string[],
): ReadonlyMap<string, Item['frees']> {
  const { graph, groups } = kept.schedule;
  const reads = new Map<string, number[]>();
  groups.forEach((group, at) => {
    for (const { resource } of readsOf(graph, group)) {
      const name = resourceName(resource);
      reads.set(name, [...(reads.get(name) ?? []), at]);
    }
  });
  const others = new Map(again.memory.lifetimes.map((one) => [one.name, one]));
  const found = new Map<string, Item['frees'][number][]>(paths.map((path) => [path, []]));
  for (const lifetime of kept.memory.lifetimes) {
    const path = pathOf(kept.schedule, lifetime, new Set(paths));
    const last = others.get(lifetime.name)?.last ?? Number.POSITIVE_INFINITY;
    if (path === null || last >= lifetime.last) continue;
    const next = (reads.get(lifetime.name) ?? []).find((at) => at > last)!;
    found.get(path)!.push({ from: last + 1, to: next - 1, bytes: lifetime.bytes });
  }
  return found;
}

function pathOf({ graph }: Schedule, { resource }: Lifetime, paths: ReadonlySet<string>): string | null {
  const node = nodeOf(resource);
  return node === null ? null : blockOf(graph.nodes[node]!.path, paths);
}

/** The node whose value a resource is, or belongs to; null for what groups keep to themselves, and what updates have. */
function nodeOf(resource: Resource): number | null {
  if (resource.kind === 'value' || resource.kind === 'statistics') return resource.value;
  return resource.kind === 'affine' ? resource.node : null;
}

/** The groups that compute a block again, by their indices. */
function repeatedGroups({ graph, groups }: Schedule, path: string): readonly number[] {
  const own = new Set([path]);
  return groups.flatMap(({ result }, at) => {
    const { path: place } = graph.nodes[result]!;
    return place.endsWith('.recomputed') && blockOf(place, own) !== null ? [at] : [];
  });
}

/** What a group takes, in floating-point operations, with what is packed for it. */
function workAt({ schedule: { graph, groups }, memory }: PlannedTraining, at: number): number {
  const { flops, bytes } = costOf(graph, groups[at]!);
  const packed = memory.lifetimes.reduce(
    (sum, { resource, bytes }) =>
      sum + (resource.kind === 'group_weights' && resource.group === at ? 2 * bytes : 0),
    0,
  );
  return flops + OPERATIONS_A_BYTE * (bytes + packed);
}
