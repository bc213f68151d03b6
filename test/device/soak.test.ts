// The short form of `npm run test:soak`: forward passes and steps of training in one process, which does not grow.

import { expect, test } from 'vitest';
import { grown, soakPasses, soakSteps } from '../checks/soak/rounds.ts';
import { LEAST_GRAPH } from '../fixtures/small-graph.ts';

test.skipIf(process.platform !== 'linux')(
  'a hundred passes are flat in threads, descriptors and memory',
  async () => {
    const soaked = await soakPasses(100);
    expect(grown(soaked)).toEqual([]);
    expect(soaked.last.threads).toBeGreaterThan(1);
  },
);

test.skipIf(process.platform !== 'linux')(
  'two hundred steps of training are flat in threads, descriptors and memory',
  async () => {
    const soaked = await soakSteps(200, undefined, JSON.parse(LEAST_GRAPH) as object);
    expect(grown(soaked)).toEqual([]);
  },
);

test('what has grown is told', () => {
  const first = { threads: 8, descriptors: 20, megabytes: 200 };
  const last = { threads: 9, descriptors: 20, megabytes: 300 };
  expect(grown({ what: 'loads', rounds: 200, first, last })).toEqual([
    'loads, 200 times: 8 threads became 9',
    'loads, 200 times: 200 MB became 300',
  ]);
});
