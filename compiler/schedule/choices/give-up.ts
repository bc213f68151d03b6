// What a graph does without because it is hardly missed. Algorithms have kernels of their own, kernels have a text for each
// tile and for what is fused into them, and each text costs a driver of processors a quarter of a second of code generation
// when it is met for the first time, and some hundredths at every start. So what few convolutions use is given up where
// the others do its work as well: tiles of Winograd's algorithm before groups are fused, since norms go into input
// transforms, and into maps in front of a convolution by its taps; then kernels.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { fusedName } from '../print.ts';
import type { Candidate, Choice, ConvGroup, FusedOp, FusionGroup, WinogradTile } from '../schedule.ts';
import type { ChosenConv, ChosenGroup } from '../statistics.ts';
import { choiceOf, mayChoose, nameOf, type PricedCandidate } from './candidates.ts';
import type { Priced, Prices } from './prices.ts';
import { keyOf } from './tuning.ts';

/** A tile of Winograd's algorithm is given up where all convolutions together become slower by no more than this part. */
const TILE_PART = 0.01;

/** The same of a kernel. */
const KERNEL_PART = 0.005;

/** What statistics that nobody reads add to a convolution, as a part of it. */
const STATISTICS = 0.01;

const TILES: readonly WinogradTile[] = [2, 4];

/** A way to compute a convolution, and what it needs that others may do without. */
interface Way<T> {
  readonly cost: number;
  readonly needs: readonly T[];
}

/** Convolutions that may be computed in the same ways, cheapest first. */
interface Alike<T, W extends Way<T>> {
  readonly count: number;
  readonly ways: readonly W[];
}

/**
 * What is left of `all` when one item after the other is given up. An item may go while all convolutions together become
 * slower by no more than `most`; among the items that may go, the first goes, or the one whose loss costs least.
 */
function worthKeeping<T>(
  all: Iterable<T>,
  alike: readonly Alike<T, Way<T>>[],
  most: number,
  next: 'first' | 'least missed',
): ReadonlySet<T> {
  const kept = new Set(all);
  for (;;) {
    const now = costWith(alike, kept);
    const without = [...kept].map((one) => ({
      one,
      cost: costWith(alike, new Set([...kept].filter((other) => other !== one))),
    }));
    const spare = without.filter(({ cost }) => cost - now <= most);
    const [first] = next === 'first' ? spare : spare.sort((a, b) => a.cost - b.cost);
    if (!first) return kept;
    kept.delete(first.one);
  }
}

/** The cost of all convolutions by the best ways that `kept` suffices for; infinite where there are none. */
function costWith<T>(alike: readonly Alike<T, Way<T>>[], kept: ReadonlySet<T>): number {
  return alike.reduce(
    (sum, { count, ways }) => sum + count * (bestWith(ways, kept)?.cost ?? Number.POSITIVE_INFINITY),
    0,
  );
}

function bestWith<T, W extends Way<T>>(ways: readonly W[], kept: ReadonlySet<T>): W | undefined {
  return ways.find(({ needs }) => needs.every((one) => kept.has(one)));
}

/**
 * Tells which convolutions are repetitions of an earlier one: the same op by the same weights, as of blocks that training computes
 * again. They count nothing, so that choices, and with them every bit, are those of the graph without them.
 */
function createRepetitions(graph: OpGraph): (group: ConvGroup) => boolean {
  const met = new Set<string>();
  return ({ anchor }) => {
    const { op, inputs } = graph.nodes[anchor]!;
    const product = `${op} ${inputs[1]}`;
    if (met.has(product)) return true;
    met.add(product);
    return false;
  };
}

/** The tiles of Winograd's algorithm that are worth their kernels; `groups` are those of the unfused schedule. */
export function worthwhileTiles(
  graph: OpGraph,
  groups: readonly FusionGroup[],
  prices: Prices,
): ReadonlySet<WinogradTile> {
  const alike = new Map<string, Alike<WinogradTile, Way<WinogradTile>>>();
  const isAgain = createRepetitions(graph);
  for (const group of groups) {
    const priced = group.kind === 'conv' ? prices(group) : null;
    if (group.kind !== 'conv' || priced === null || isAgain(group)) continue;
    const key = keyOf(graph, group);
    const ways = priced.candidates.map(({ cost, winograd }) => ({ cost, needs: winograd ? [winograd] : [] }));
    alike.set(key, { count: (alike.get(key)?.count ?? 0) + 1, ways });
  }
  const convolutions = [...alike.values()];
  const most = TILE_PART * costWith(convolutions, new Set(TILES));
  return worthKeeping(TILES, convolutions, most, 'first');
}

/** A candidate, and whether it writes statistics. */
interface KernelWay extends Way<string> {
  readonly priced: PricedCandidate;
  readonly statistics: boolean;
}

/** Convolutions with the same fused into them, by their places among the groups. */
interface Sharing extends Alike<string, KernelWay>, Priced {
  readonly groups: readonly { readonly group: ChosenConv; readonly at: number }[];
}

/** Replaces choices by ways that need fewer kernels. */
export function shareKernels(
  graph: OpGraph,
  groups: readonly ChosenGroup[],
  prices: Prices,
  tiles: ReadonlySet<WinogradTile>,
): readonly ChosenGroup[] {
  const convolutions = sharing(graph, groups, prices, tiles);
  const most = KERNEL_PART * microsecondsOf(convolutions);
  const all = convolutions.flatMap(({ ways }) => ways[0]!.needs);
  const kernels = worthKeeping(all, convolutions, most, 'least missed');
  const shared = [...groups];
  for (const one of convolutions) {
    const taken = bestWith(one.ways, kernels)!;
    if (taken === one.ways[0]) continue;
    const { statistics } = taken;
    for (const { group, at } of one.groups) shared[at] = { ...group, ...choiceAmong(one, taken), statistics };
  }
  return shared;
}

/** The choice of a way that is not the fastest, with a reason that says for what. */
function choiceAmong({ ways, candidates, measured }: Sharing, { priced, statistics }: KernelWay): Choice {
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
function microsecondsOf(convolutions: readonly Sharing[]): number {
  return convolutions.reduce((sum, { count, ways }) => sum + count * ways[0]!.priced.microseconds, 0);
}

/** The convolutions, those together that compute the same with the same fused into them. */
function sharing(
  graph: OpGraph,
  groups: readonly ChosenGroup[],
  prices: Prices,
  tiles: ReadonlySet<WinogradTile>,
): readonly Sharing[] {
  const members = new Map<string, { readonly group: ChosenConv; readonly at: number }[]>();
  const isAgain = createRepetitions(graph);
  const again = new Set(groups.filter((group) => group.kind === 'conv' && isAgain(group)));
  groups.forEach((group, at) => {
    if (group.kind !== 'conv') return;
    const key = [keyOf(graph, group), ...kernelsOf(graph, group, group, group.statistics)].join(' | ');
    const known = members.get(key);
    if (known) known.push({ group, at });
    else members.set(key, [{ group, at }]);
  });
  return [...members.values()].flatMap((alike): readonly Sharing[] => {
    const { group } = alike[0]!;
    const count = alike.filter((one) => !again.has(one.group)).length;
    if (count === 0) return [];
    const priced = prices(group)!;
    const ways = waysOf(graph, group, priced, tiles);
    return [{ ...priced, count, groups: alike, ways }];
  });
}

/** What of the candidates may be taken, cheapest first, with statistics that nobody reads and without. */
function waysOf(
  graph: OpGraph,
  group: ChosenConv,
  { candidates }: Priced,
  tiles: ReadonlySet<WinogradTile>,
): readonly KernelWay[] {
  const way = (priced: PricedCandidate, statistics: boolean, cost: number): KernelWay => ({
    priced,
    cost,
    statistics,
    needs: kernelsOf(graph, group, priced, statistics),
  });
  const legal = candidates.filter((one) => mayChoose(one, tiles) && fits(one, group));
  const ways = legal.map((one) => way(one, group.statistics, one.cost));
  if (group.statistics) return ways;
  const idle = legal.map((one) => way(one, true, one.cost + STATISTICS * one.microseconds));
  return [...ways, ...idle].sort((a, b) => a.cost - b.cost);
}

/** A norm was fused for the algorithm that was chosen: where there is one, that stays by taps or Winograd's. */
function fits({ winograd }: Candidate, group: ChosenConv): boolean {
  return (
    (winograd !== null) === (group.winograd !== null) || (winograd === null && group.prologue.length === 0)
  );
}

/** A text for each kernel of a candidate; candidates whose kernels have the same texts share them. */
function kernelsOf(
  graph: OpGraph,
  group: ConvGroup,
  { winograd, tile }: Candidate,
  statistics: boolean,
): readonly string[] {
  const names = (ops: readonly FusedOp[]) => ops.map((op) => fusedName(graph, op)).join('+');
  const { op } = graph.nodes[group.anchor]!;
  const product = `${tile.m}x${tile.n}`;
  const written = `${names(group.epilogue)} ${statistics ? 'statistics' : ''}`;
  if (winograd === null) return [`${op} ${product} ${group.sources.length} ${written}`];
  // norm and film are one scale and shift
  const scaled = group.prologue.length > 0;
  return [`product ${product}`, `input ${winograd} ${scaled}`, `output ${winograd} ${written}`];
}
