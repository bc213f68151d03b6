// How candidates are measured: whole compilations of a graph, each with another candidate for every convolution group, so
// that each is timed among the neighbours it will have; and which dispatches of a compilation are a convolution's own.

import { type Compilation, type CompileOptions, compileGraph } from '../../compiler/compile.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import type { Backend } from '../../compiler/schedule/backends/backend.ts';
import { backendOf, targetAt } from '../../compiler/schedule/backends/index.ts';
import { nameOf, type RatedCandidate } from '../../compiler/schedule/choices/candidates.ts';
import { rate } from '../../compiler/schedule/choices/prices.ts';
import { keyOf, type Tuning } from '../../compiler/schedule/choices/tuning.ts';
import { printGroup } from '../../compiler/schedule/print.ts';
import { readsOf, takenFrom } from '../../compiler/schedule/resources.ts';
import type { Schedule, ScheduledConv, ScheduledGroup } from '../../compiler/schedule/schedule.ts';
import { GENERIC } from '../../compiler/target.ts';

/** A candidate that the cost model expects to take more than so many times the best is not measured. */
const HOPELESS = 2;

/** A convolution of a compilation. */
export interface Convolution {
  /** Its value in the graph, which is the same in every variant. */
  readonly anchor: number;
  readonly key: string;
  readonly candidate: string;
  /** Indices of the dispatches whose times depend on the candidate. */
  readonly dispatches: readonly number[];
}

/** The graph as it is compiled now, and one compilation for each rank of the candidates. */
export interface Variants {
  readonly before: Compilation;
  readonly variants: readonly Compilation[];
}

export function compileVariants(graph: Graph, options: CompileOptions): Variants {
  const before = compileGraph(graph, options);
  const target = targetAt(options.target ?? GENERIC, options.precision ?? 'f32');
  const tunings = tuningsOf(candidatesByKey(before.schedule, backendOf(target)));
  return { before, variants: tunings.map((tuning) => compileGraph(graph, { ...options, tuning })) };
}

/** Names of the candidates worth measuring, by group: what is chosen now, and those that are not hopeless. */
function candidatesByKey(schedule: Schedule, backend: Backend): ReadonlyMap<string, readonly string[]> {
  const { graph, groups } = schedule;
  const found = new Map<string, readonly string[]>();
  for (const group of groups) {
    if (group.kind !== 'conv') continue;
    // an upsampling that was fused for the candidate of now is none of the others' concern
    const bare = { ...group, upsample: null };
    const all = backend.candidates(graph, bare, false);
    const rated = rate(graph, bare, backend, all);
    const worthwhile = rated ? promising(rated) : all;
    found.set(keyOf(graph, group), [...new Set([chosenIn(group), ...worthwhile.map(nameOf)])]);
  }
  return found;
}

function promising(rated: readonly RatedCandidate[]): readonly RatedCandidate[] {
  const best = Math.min(...rated.map(({ microseconds }) => microseconds));
  return rated.filter(({ microseconds }) => microseconds <= HOPELESS * best);
}

/** Tuning k makes the candidate k of each group the best; a group with fewer begins again. */
export function tuningsOf(candidates: ReadonlyMap<string, readonly string[]>): readonly Tuning[] {
  const most = Math.max(0, ...[...candidates.values()].map((names) => names.length));
  return Array.from({ length: most }, (_, k) =>
    Object.fromEntries([...candidates].map(([key, names]) => [key, { [names[k % names.length]!]: 1 }])),
  );
}

/** What was chosen for a convolution group. */
function chosenIn(group: ScheduledConv): string {
  return nameOf(group);
}

/**
 * The convolutions of a compilation. To each belong its own dispatches, the merging of the statistics it writes (its
 * tiles say how many there are), and the pass that applies what stands in front of it and that no other group reads:
 * Winograd's input transform applies norms on the way, and one by its taps reads what is not yet upsampled.
 */
export function convolutionsOf({ schedule, bundle }: Compilation): readonly Convolution[] {
  const { graph, groups } = schedule;
  const dispatchesOf = (group: ScheduledGroup) => {
    const line = printGroup(graph, group, groups.indexOf(group));
    return bundle.manifest.dispatches.flatMap((dispatch, i) => (dispatch.group === line ? [i] : []));
  };
  const readers = countReaders(schedule);
  return groups.flatMap((group) => {
    if (group.kind !== 'conv') return [];
    const own = groups.filter(
      (other) =>
        other === group ||
        (other.kind === 'merge_statistics' && other.result === group.result) ||
        (isApplied(other) && group.sources.join() === `${other.result}` && readers.get(other.result) === 1),
    );
    const [key, dispatches] = [keyOf(graph, group), own.flatMap(dispatchesOf)];
    return [{ anchor: group.anchor, key, candidate: chosenIn(group), dispatches }];
  });
}

/** Whether a group is what `fuse_norm_winograd` or `fuse_upsample_direct` takes along. */
function isApplied(group: ScheduledGroup): boolean {
  if (group.kind !== 'map' || group.epilogue.length > 0) return false;
  return group.prologue.length > 0 !== (group.upsample !== null);
}

/** How many groups and outputs read each value; a dispatch about its statistics does not count. */
function countReaders({ graph, groups }: Schedule): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  const read = [
    ...groups
      .filter(({ kind }) => kind !== 'statistics' && kind !== 'affine')
      .flatMap((group) => readsOf(graph, group).map(({ resource }) => resource)),
    ...takenFrom(graph),
  ];
  for (const resource of read) {
    if (resource.kind !== 'value') continue;
    counts.set(resource.value, (counts.get(resource.value) ?? 0) + 1);
  }
  return counts;
}
