// What samples of convolutions say: the time of each candidate of a group, what was chosen before, what is fastest now.

import type { Tuning } from '../../compiler/schedule/choices/tuning.ts';
import { fastestOf } from '../compile/tuning-file.ts';
import { sum } from '../statistics.ts';
import type { Sample } from './measure.ts';
import type { Convolution } from './variants.ts';

/** One group of the tuned graphs. */
export interface TunedGroup {
  readonly key: string;
  /** Convolutions of it in all graphs. */
  readonly count: number;
  /** The candidate that was chosen until now, and what it takes. */
  readonly before: string;
  readonly before_us: number;
  readonly fastest: string;
  readonly fastest_us: number;
  /** Microseconds of every candidate that was measured. */
  readonly candidates: Readonly<Record<string, number>>;
}

/** A choice that an older tuning made otherwise; `from` is null for a group that it did not know. */
export interface Change {
  readonly key: string;
  readonly from: string | null;
  readonly to: string;
}

/** The clock's smallest step that is told. */
const RESOLUTION_US = 0.1;

/** Microseconds by group and candidate: the mean over the places of a group of the least that each took. */
export function tuningOf(samples: readonly Sample[]): Tuning {
  const least = new Map<string, Map<string, Map<string, number>>>();
  for (const { key, candidate, place, microseconds } of samples) {
    const candidates = least.get(key) ?? new Map<string, Map<string, number>>();
    const places = candidates.get(candidate) ?? new Map<string, number>();
    least.set(key, candidates.set(candidate, places));
    places.set(place, Math.min(places.get(place) ?? Number.POSITIVE_INFINITY, microseconds));
  }
  const mean = (values: readonly number[]) => {
    const steps = Math.round(sum(values) / values.length / RESOLUTION_US);
    return Math.max(steps, 1) / Math.round(1 / RESOLUTION_US);
  };
  return Object.fromEntries(
    [...least].map(([key, candidates]) => [
      key,
      Object.fromEntries([...candidates].map(([name, places]) => [name, mean([...places.values()])])),
    ]),
  );
}

/** The groups of convolutions as they were chosen, those first that take most of the time. */
export function summarise(before: readonly Convolution[], tuning: Tuning): readonly TunedGroup[] {
  const groups = Object.entries(tuning).map(([key, candidates]): TunedGroup => {
    const own = before.filter((one) => one.key === key);
    const [chosen, fastest] = [own[0]!.candidate, fastestOf(candidates)!];
    return {
      ...{ key, count: own.length },
      ...{ before: chosen, before_us: candidates[chosen]! },
      ...{ fastest, fastest_us: candidates[fastest]!, candidates },
    };
  });
  return groups.toSorted((a, b) => b.count * b.before_us - a.count * a.before_us);
}

/** Where a tuning chooses otherwise than an older one, in order of the groups' keys. */
export function changesBetween(older: Tuning, newer: Tuning): readonly Change[] {
  return Object.keys(newer)
    .sort()
    .flatMap((key) => {
      const [from = null, to] = [fastestOf(older[key]), fastestOf(newer[key])!];
      return from === to ? [] : [{ key, from, to }];
    });
}
