// What is said of measured candidates: the fastest, and what a re-tune changed.

import { expect, test } from 'vitest';
import { tuningTable } from '../../../cli/tuning/table.ts';
import { changesBetween, summarise } from '../../../engine/tuning/summary.ts';

test('the table has the groups by the time they take, and the choices that changed', () => {
  const older = { a: { 'direct 8x32': 5, 'direct 32x32': 9 }, gone: { 'direct 8x32': 1 } };
  const newer = {
    a: { 'direct 8x32': 15, 'direct 32x32': 12 },
    b: { 'direct 8x32': 100 },
  };
  const before = ['a', 'a', 'b'].map((key, anchor) => ({
    ...{ anchor, key, candidate: 'direct 8x32', dispatches: [] },
  }));
  const result = {
    ...{ target: 'software', adapter: 'x', unetc: '0', batch: 1, runs: 3, output: 'out.json' },
    groups: summarise(before, newer),
    changes: changesBetween(older, newer),
  };
  expect(tuningTable(result)).toBe(`\
target software on x; the least of 3 runs

group  count  chosen before     us  fastest now      us   gain
b          1  direct 8x32    100.0  the same      100.0  1.00x
a          2  direct 8x32     15.0  direct 32x32   12.0  1.25x

all convolutions: 0.1 ms as chosen before, 0.1 ms by the fastest (1.05x)
written to out.json; 2 choices changed:
  a: direct 8x32 -> direct 32x32
  b: new -> direct 8x32
`);
  expect(tuningTable({ ...result, changes: [] })).toContain('; every choice stays as it was\n');
  expect(tuningTable({ ...result, changes: null })).toMatch(/written to out\.json\n$/);
});
