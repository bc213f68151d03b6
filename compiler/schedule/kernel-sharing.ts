// Fewer kernels where that costs hardly any time. A kernel's text depends on its tile and on what is fused into it, and each
// text costs a driver of processors a quarter of a second of code generation when it is met for the first time, and
// some hundredths at every start. So a kernel that few convolutions use is given up where the others do its work as well.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { isActivation } from '../ops/activations.ts';
import type { Target } from '../target.ts';
import { choiceOf, mayChoose, nameOf, type PricedCandidate, type Prices } from './choices.ts';
import type { Candidate, Choice, FusedOp, WinogradTile } from './schedule.ts';
import type { ChosenConv, ChosenGroup } from './statistics.ts';
import { keyOf } from './tuning.ts';

/** A kernel is given up where all convolutions together become slower by no more than this part. */
const PART = 0.005;

/** What statistics that nobody reads add to a convolution, as a part of it. */
const STATISTICS = 0.01;

/** A candidate with the kernels that it needs, and whether they write statistics. */
interface Way {
  readonly priced: PricedCandidate;
  readonly statistics: boolean;
  readonly kernels: readonly string[];
}

/** Convolutions that may take the same candidates. */
interface Alike {
  readonly groups: readonly number[];
  readonly candidates: readonly PricedCandidate[];
  readonly measured: boolean;
  /** What of the candidates may be taken, cheapest first. */
  readonly ways: readonly Way[];
}

/** Replaces choices so that the kernel that is missed least goes, as long as one is missed as little as `PART` says. */
export function shareKernels(
  graph: OpGraph,
  groups: readonly ChosenGroup[],
  target: Target,
  prices: Prices,
  tiles: readonly WinogradTile[],
): readonly ChosenGroup[] {
  if (target.products !== 'subgroup') return groups;
  const convolutions = alike(graph, groups, prices, tiles);
  if (convolutions.length === 0) return groups;
  const kernels = new Set(convolutions.flatMap(({ ways }) => ways[0]!.kernels));
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
    if (taken === one.ways[0]) continue;
    const { statistics } = taken;
    for (const at of one.groups)
      shared[at] = { ...(groups[at] as ChosenConv), ...choiceAmong(one, taken), statistics };
  }
  return shared;
}

/** The choice of a way that is not the fastest, with a reason that says for what. */
function choiceAmong({ ways, candidates, measured }: Alike, { priced, statistics }: Way): Choice {
  const { reason, ...choice } = choiceOf(priced, candidates, measured);
  const fastest = ways[0]!;
  const name = nameOf(fastest.priced);
  const saved = [
    ...(name === nameOf(priced) ? [] : [`than with ${name} ${Math.round(fastest.priced.microseconds)} us`]),
    ...(statistics === fastest.statistics ? [] : ['with statistics that nobody reads']),
  ];
  return { ...choice, reason: `${reason}; a kernel less ${saved.join(', ')}` };
}

/** What all convolutions take by the fastest way of each. */
function microsecondsOf(convolutions: readonly Alike[]): number {
  return convolutions.reduce(
    (sum, { groups, ways }) => sum + groups.length * ways[0]!.priced.microseconds,
    0,
  );
}

/** The cost of all convolutions by the best ways that these kernels suffice for; infinite where there are none. */
function costWith(convolutions: readonly Alike[], kernels: ReadonlySet<string>): number {
  return convolutions.reduce(
    (sum, one) => sum + one.groups.length * (bestWith(one, kernels)?.priced.cost ?? Number.POSITIVE_INFINITY),
    0,
  );
}

function bestWith({ ways }: Alike, kernels: ReadonlySet<string>): Way | undefined {
  return ways.find((way) => way.kernels.every((kernel) => kernels.has(kernel)));
}

/** The convolutions, those together that compute the same with the same fused into them. */
function alike(
  graph: OpGraph,
  groups: readonly ChosenGroup[],
  prices: Prices,
  tiles: readonly WinogradTile[],
): readonly Alike[] {
  const members = new Map<string, { readonly group: ChosenConv; readonly at: number[] }>();
  groups.forEach((group, at) => {
    if (group.kind !== 'conv') return;
    const needs = kernelsOf(graph, group, group, group.statistics);
    const key = [keyOf(graph, group), ...needs].join(' | ');
    const known = members.get(key);
    if (known) known.at.push(at);
    else members.set(key, { group, at: [at] });
  });
  return [...members.values()].map(({ group, at }): Alike => {
    const { candidates, measured } = prices(group)!;
    const way = (priced: PricedCandidate, statistics: boolean): Way => ({
      priced,
      statistics,
      kernels: kernelsOf(graph, group, priced, statistics),
    });
    const legal = candidates.filter((one) => mayChoose(one, tiles) && fits(one, group));
    const ways = legal.map((priced) => way(priced, group.statistics));
    if (group.statistics) return { groups: at, candidates, measured, ways };
    const idle = legal.map((one) => way({ ...one, cost: one.cost + STATISTICS * one.microseconds }, true));
    const all = [...ways, ...idle].sort((a, b) => a.priced.cost - b.priced.cost);
    return { groups: at, candidates, measured, ways: all };
  });
}

/** A norm was fused for the algorithm that was chosen: where there is one, that stays by taps or Winograd's. */
function fits({ winograd }: Candidate, group: ChosenConv): boolean {
  return (
    (winograd !== null) === (group.winograd !== null) || (winograd === null && group.prologue.length === 0)
  );
}

/** What tells the kernels of a candidate from those of others. */
function kernelsOf(
  graph: OpGraph,
  group: ChosenConv,
  { winograd, tile }: Candidate,
  statistics: boolean,
): readonly string[] {
  const names = (ops: readonly FusedOp[]) => ops.map(({ node }) => graph.nodes[node]!.op).join('+');
  const { op } = graph.nodes[group.anchor]!;
  const product = `${tile.m}x${tile.n}`;
  const written = `${names(group.epilogue)} ${statistics ? 'statistics' : ''}`;
  if (winograd === null) return [`${op} ${product} ${group.sources.length} ${written}`];
  // norm and film are one scale and shift
  const scaled = group.prologue.length > 0;
  const activation = names(group.prologue.filter(({ node }) => isActivation(graph.nodes[node]!.op)));
  return [`product ${product}`, `input ${winograd} ${scaled} ${activation}`, `output ${winograd} ${written}`];
}
