// Which tiles of Winograd's algorithm a graph uses at all. Each tile has at least two kernels of its own, an input and an
// output transform, so one that few convolutions want is given up as kernels are (`kernel-sharing.ts`), but before
// groups are fused: norms go into input transforms, and into maps in front of a convolution by its taps.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { mayChoose, type PricedCandidate, type Prices } from './choices.ts';
import type { FusionGroup, WinogradTile } from './schedule.ts';
import { keyOf } from './tuning.ts';

/** A tile is given up where all convolutions together become slower by no more than this part. */
const PART = 0.01;

const TILES: readonly WinogradTile[] = [2, 4];

/** What convolutions of one key are chosen from, cheapest first, and how many they are. */
interface Alike {
  readonly count: number;
  readonly candidates: readonly PricedCandidate[];
}

/** The tiles that are worth their kernels; `groups` are those of the unfused schedule. */
export function worthwhileTiles(
  graph: OpGraph,
  groups: readonly FusionGroup[],
  prices: Prices,
): readonly WinogradTile[] {
  const alike = [...convolutions(graph, groups, prices).values()];
  const most = PART * costWith(alike, TILES);
  return TILES.reduce<readonly WinogradTile[]>((kept, tile) => {
    const others = kept.filter((one) => one !== tile);
    return costWith(alike, others) - costWith(alike, kept) <= most ? others : kept;
  }, TILES);
}

/** The cost of all convolutions by their best candidates of these tiles, and by taps; infinite where there are none. */
function costWith(alike: readonly Alike[], tiles: readonly WinogradTile[]): number {
  return alike.reduce((sum, { count, candidates }) => {
    const best = candidates.find((one) => mayChoose(one, tiles));
    return sum + count * (best?.cost ?? Number.POSITIVE_INFINITY);
  }, 0);
}

/** By key; those of no price, of targets without the algorithm, are left out. */
function convolutions(
  graph: OpGraph,
  groups: readonly FusionGroup[],
  prices: Prices,
): ReadonlyMap<string, Alike> {
  const byKey = new Map<string, Alike>();
  for (const group of groups) {
    if (group.kind !== 'conv') continue;
    const priced = prices(group);
    if (priced === null) continue;
    const key = keyOf(graph, group);
    byKey.set(key, { count: (byKey.get(key)?.count ?? 0) + 1, candidates: priced.candidates });
  }
  return byKey;
}
