// What is kept of measured candidates: means over places of the least in each.

import { expect, test } from 'vitest';
import { tuningOf } from '../../../engine/tuning/summary.ts';

const sample = (key: string, candidate: string, place: string, microseconds: number) => ({
  ...{ key, candidate, place, microseconds },
});

test('a candidate takes the mean over its places of the least in each', () => {
  const tuning = tuningOf([
    sample('a', 'direct 8x32', 'one %1', 30),
    sample('a', 'direct 8x32', 'one %1', 10),
    sample('a', 'direct 8x32', 'two %1', 20.26),
    sample('a', 'direct 32x32', 'one %1', 12),
    sample('b', 'direct 8x32', 'one %2', 0),
  ]);
  expect(tuning).toEqual({ a: { 'direct 8x32': 15.1, 'direct 32x32': 12 }, b: { 'direct 8x32': 0.1 } });
});
