// Ways to compute a convolution, as choices see them: with what they take and cost, by name, and one of them with what it was
// chosen from.

import type { Candidate, Choice, ConvGroup, WinogradTile } from '../schedule.ts';

/** A candidate with what it takes, by a cost model or as it was measured. */
export interface RatedCandidate extends Candidate {
  readonly microseconds: number;
}

/** A candidate as the choice sees it: microseconds, with what the bytes of its weights are worth. */
export interface PricedCandidate extends RatedCandidate {
  readonly cost: number;
}

/** The choice for a convolution group. */
export type Choose = (group: ConvGroup) => Choice;

/** What a candidate is called in reasons and in tunings, such as `winograd4 16x64`, or `direct 16x32 in 8 slices`. */
export function nameOf({ winograd, tile, slices }: Candidate): string {
  const name = `${winograd ? `winograd${winograd}` : 'direct'} ${tile.m}x${tile.n}`;
  return slices === 1 ? name : `${name} in ${slices} slices`;
}

/** Whether a candidate does with these tiles of Winograd's algorithm. */
export function mayChoose({ winograd }: Candidate, tiles: ReadonlySet<WinogradTile>): boolean {
  return winograd === null || tiles.has(winograd);
}

/** One of priced candidates as the choice, with what it was chosen from. */
export function choiceOf(
  chosen: PricedCandidate,
  candidates: readonly PricedCandidate[],
  measured: boolean,
): Choice {
  const { winograd, tile, slices } = chosen;
  const others = candidates.filter((one) => nameOf(one) !== nameOf(chosen));
  return { winograd, tile, slices, reason: (measured ? 'measured ' : '') + reasonOf([chosen, ...others]) };
}

/** The best of each algorithm with its time, the chosen one first. */
function reasonOf(rated: readonly RatedCandidate[]): string {
  const best = rated.filter((c, i) => rated.findIndex(({ winograd }) => winograd === c.winograd) === i);
  return best.map((c) => `${nameOf(c)} ${Math.round(c.microseconds)} us`).join(', ');
}
