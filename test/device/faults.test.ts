// The short form of `npm run test:faults` for the GPU: some calls of WebGPU fail while a sample is drawn.

import { expect, test } from 'vitest';
import { gpuInjector } from '../checks/faults/injectors.ts';
import { GPU_RUNS } from '../checks/faults/runs.ts';
import { sweep } from '../checks/faults/sweep.ts';

const injector = gpuInjector();

/** How far from call to call. */
const EVERY = 53;

test('whatever call of the GPU fails, the right bytes or a right error, and nothing left behind', async () => {
  const [run] = GPU_RUNS;
  const { injected, exits, failures } = await sweep(run!, injector, { every: EVERY }, () => {});
  expect(failures).toEqual([]);
  expect(injected).toBeGreaterThan(3);
  expect(Math.max(...exits.keys())).toBeGreaterThan(0);
});

/** Runs that read back in each way there is, and how far from one reading to the next that fails. */
const READERS = [
  { name: 'tune', every: 17 },
  { name: 'train on the GPU', every: 5 },
  { name: 'run', every: 1 },
] as const;

test.for(READERS)('a device that is lost while $name reads back is told as such', async ({ name, every }) => {
  const run = GPU_RUNS.find((one) => one.name === name)!;
  const methods = /^GPUBuffer\.(getMappedRange|mapAsync)$/;
  const { injected, exits, failures } = await sweep(run, injector, { every, methods }, () => {});
  expect(failures).toEqual([]);
  expect(injected).toBeGreaterThan(0);
  expect([...exits.keys()].every((exit) => exit === 0 || exit === 8)).toBe(true);
});
