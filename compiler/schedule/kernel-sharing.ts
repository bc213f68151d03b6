// Fewer kernels where that costs hardly any time. A kernel's text depends on its tile and on what is fused into it, and each
// text costs a driver of processors a quarter of a second of code generation when it is met for the first time, and
// some hundredths at every start. So a kernel that few convolutions use is given up where the others do its work as well.

import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Target } from '../target.ts';
import {
  type Candidate,
  type ChoiceOptions,
  choiceOf,
  nameOf,
  type PricedCandidate,
  priceConv,
} from './choices.ts';
import type { ChosenGroup } from './statistics.ts';
import { keyOf } from './tuning.ts';

/** A kernel is given up where all convolutions together become slower by no more than this part. */
const PART = 0.005;

/** Convolutions that may take the same candidates. */
interface Alike {
  readonly groups: readonly number[];
  readonly measured: boolean;
  /** Cheapest first, with the kernels that they need. */
  readonly candidates: readonly { readonly priced: PricedCandidate; readonly kernels: readonly string[] }[];
}

/** Replaces choices so that the kernel that is missed least goes, as long as one is missed as little as `PART` says. */
export function shareKernels(
  graph: OpGraph,
  groups: readonly ChosenGroup[],
  target: Target,
  options: ChoiceOptions,
): readonly ChosenGroup[] {
  if (target.products !== 'subgroup') return groups;
  const convolutions = alike(graph, groups, target, options);
  if (convolutions.length === 0) return groups;
  const kernels = new Set(convolutions.flatMap(({ candidates }) => candidates[0]!.kernels));
  const most = PART * microsecondsOf(convolutions);
  for (;;) {
    const now = costWith(convolutions, kernels);
    const without = [...kernels].map((kernel) => ({
      kernel,
      cost: costWith(convolutions, new Set([...kernels].filter((one) => one !== kernel))),
    }));
    const missed = without.reduce((least, one) => (one.cost < least.cost ? one : least));
    if (missed.cost - now > most) break;
    kernels.delete(missed.kernel);
  }
  const shared = [...groups];
  for (const one of convolutions) {
    const taken = bestWith(one, kernels)!;
    if (taken === one.candidates[0]) continue;
    const { priced: fastest } = one.candidates[0]!;
    const saved = `a kernel less than with ${nameOf(fastest)} ${Math.round(fastest.microseconds)} us`;
    const rest = one.candidates.filter((other) => other !== taken).map(({ priced }) => priced);
    const { winograd, tile, reason } = choiceOf([taken.priced, ...rest], one.measured);
    for (const at of one.groups) {
      shared[at] = { ...groups[at]!, winograd, tile, reason: `${reason}; ${saved}` };
    }
  }
  return shared;
}

/** What all convolutions take by the fastest choice of each. */
function microsecondsOf(convolutions: readonly Alike[]): number {
  return convolutions.reduce(
    (sum, { groups, candidates }) => sum + groups.length * candidates[0]!.priced.microseconds,
    0,
  );
}

/** The cost of all convolutions by the best candidates that these kernels suffice for; infinite where there are none. */
function costWith(convolutions: readonly Alike[], kernels: ReadonlySet<string>): number {
  return convolutions.reduce(
    (sum, one) => sum + one.groups.length * (bestWith(one, kernels)?.priced.cost ?? Number.POSITIVE_INFINITY),
    0,
  );
}

function bestWith(
  { candidates }: Alike,
  kernels: ReadonlySet<string>,
): Alike['candidates'][number] | undefined {
  return candidates.find((one) => one.kernels.every((kernel) => kernels.has(kernel)));
}

/** The convolutions, those together that compute the same with the same fused into them. */
function alike(
  graph: OpGraph,
  groups: readonly ChosenGroup[],
  target: Target,
  options: ChoiceOptions,
): readonly Alike[] {
  const members = new Map<string, number[]>();
  groups.forEach((group, at) => {
    if (group.kind !== 'conv') return;
    const needs = kernelsOf(graph, group, { winograd: group.winograd, tile: group.tile! });
    const key = [keyOf(graph, group), ...needs].join(' | ');
    members.set(key, [...(members.get(key) ?? []), at]);
  });
  return [...members.values()].map((at): Alike => {
    const group = groups[at[0]!]!;
    const { candidates, measured } = priceConv(graph, group, target, options)!;
    const legal = candidates.filter((one) => fits(one, group));
    return {
      groups: at,
      measured,
      candidates: legal.map((priced) => ({ priced, kernels: kernelsOf(graph, group, priced) })),
    };
  });
}

/** A norm was fused for the algorithm that was chosen: where there is one, that stays by taps or Winograd's. */
function fits({ winograd }: Candidate, group: ChosenGroup): boolean {
  return (
    (winograd !== null) === (group.winograd !== null) || (winograd === null && group.prologue.length === 0)
  );
}

/** What tells the kernels of a candidate from those of others. */
function kernelsOf(graph: OpGraph, group: ChosenGroup, { winograd, tile }: Candidate): readonly string[] {
  const names = (ops: ChosenGroup['prologue']) => ops.map(({ node }) => graph.nodes[node]!.op).join('+');
  const { op } = graph.nodes[group.anchor]!;
  const product = `${tile.m}x${tile.n}`;
  const written = `${names(group.epilogue)} ${group.statistics ? 'statistics' : ''}`;
  if (winograd === null) return [`${op} ${product} ${group.sources.length} ${written}`];
  // norm and film are one scale and shift
  const scaled = group.prologue.length > 0;
  return [`product ${product}`, `input ${winograd} ${scaled}`, `output ${winograd} ${written}`];
}
