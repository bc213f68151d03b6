// The short form of `npm run test:faults` for the file system: some calls of four runs that need no GPU fail.

import { expect, test } from 'vitest';
import { fileInjector } from './checks/faults/injectors.ts';
import { FILE_RUNS } from './checks/faults/runs.ts';
import { sweep } from './checks/faults/sweep.ts';

/** How far from call to call: a run has from 26 to some 200. */
const EVERY: Readonly<Record<string, number>> = { sample: 31, encode: 6, merge: 9, compile: 31 };
const injector = fileInjector();

const runs = FILE_RUNS.filter(({ name }) => Object.hasOwn(EVERY, name));

test.each(runs.map((run) => [run.name, run] as const))(
  '%s: whatever call of the file system fails, the right bytes or a right error, and nothing left behind',
  async (_, run) => {
    const { injected, exits, failures } = await sweep(run, injector, { every: EVERY[run.name]! }, () => {});
    expect(failures).toEqual([]);
    expect(injected).toBeGreaterThan(1);
    // a sweep in which nothing fails has injected nothing
    expect(Math.max(...exits.keys())).toBeGreaterThan(0);
  },
  300_000,
);
