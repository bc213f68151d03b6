// The short form of `npm run test:hostile`: every so manieth case of the table, and that the table is one. Needs the build.

import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runCase, toldRan } from '../checks/hostile/run.ts';
import { CASES } from '../checks/hostile/table.ts';
import { MAIN } from '../checks/watched.ts';

/** A prime, so that every kind has its turn. */
const EVERY = 13;
const chosen = CASES.filter((_, i) => i % EVERY === 0);

test('the build is there, and the table has many cases of names of their own', () => {
  expect(existsSync(MAIN), 'run `npm run build` first').toBe(true);
  expect(CASES.length).toBeGreaterThan(400);
  expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
});

test.each(chosen.map((found) => [found.name, found] as const))(
  '%s',
  async (_, found) => {
    const ran = await runCase(found);
    expect(ran.faults, toldRan(ran)).toEqual([]);
  },
  120_000,
);

test('a case that does not end as it should is told', async () => {
  const [first] = CASES;
  const ran = await runCase({ ...first!, exit: 0, says: ['nothing of the kind'] });
  expect(ran.faults).toEqual([
    expect.stringContaining('expected 0'),
    'it does not say "nothing of the kind"',
  ]);
}, 120_000);
