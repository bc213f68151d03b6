// What is said of repeated measurements.

import { invariant } from '../compiler/diagnostics.ts';

/** The middle of the values, or the mean of the two in the middle. There must be at least one. */
export function median(values: readonly number[]): number {
  invariant(values.length > 0, 'the median of nothing');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** L2 norm of the difference over that of `expected`; infinite where a value is not finite. */
export function relativeL2(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  invariant(found.length === expected.length, `${found.length} values against ${expected.length}`);
  let [difference, norm] = [0, 0];
  for (let i = 0; i < found.length; i++) {
    difference += (found[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  const error = norm === 0 && difference === 0 ? 0 : Math.sqrt(difference / norm);
  return Number.isFinite(error) ? error : Number.POSITIVE_INFINITY;
}
