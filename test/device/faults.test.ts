// The short form of `npm run test:faults` for the GPU: some calls of WebGPU fail while a sample is drawn.

import { expect, test } from 'vitest';
import { gpuInjector } from '../checks/faults/injectors.ts';
import { GPU_RUNS } from '../checks/faults/runs.ts';
import { sweep } from '../checks/faults/sweep.ts';

/** How far from call to call. */
const EVERY = 53;

test('whatever call of the GPU fails, the right bytes or a right error, and nothing left behind', async () => {
  const [run] = GPU_RUNS;
  const { injected, exits, failures } = await sweep(run!, gpuInjector(), { every: EVERY }, () => {});
  expect(failures).toEqual([]);
  expect(injected).toBeGreaterThan(3);
  expect(Math.max(...exits.keys())).toBeGreaterThan(0);
});
