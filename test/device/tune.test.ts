// `unetc tune` on the adapter: every convolution group is measured, and the file that it writes is used.

import fs from 'node:fs';
import { expect, test } from 'vitest';
import type { TuneResult } from '../../engine/tuning/tune.ts';
import { inspectAdapter } from '../../runtime/host/node/dawn.ts';
import { TIMING_FEATURE } from '../../runtime/timing.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { testTargets } from '../on-device.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();
const { features } = await inspectAdapter();
// a software driver takes seconds for each kernel of workgroups, and every tile is another one
const target = (await testTargets()).at(-1)!.name;
const timed = test.skipIf(!features.has(TIMING_FEATURE));

timed('what is measured is what is chosen', async () => {
  const [graph, file] = [at('small.json'), at(`${target}.json`)];
  fs.writeFileSync(graph, SMALL_GRAPH);
  const words = [graph, '--target', target, '--runs', '2', '-o', file];
  const first = await unetcJson<TuneResult>('tune', ...words);
  expect(first).toMatchObject({ exit: 0, target, runs: 2, output: file, changes: null });
  expect(first.groups.length).toBeGreaterThan(3);
  for (const { candidates, fastest_us, before_us } of first.groups) {
    expect(Math.min(...Object.values(candidates))).toBe(fastest_us);
    expect(before_us).toBeGreaterThanOrEqual(fastest_us);
  }
  expect(first.groups.some(({ candidates }) => Object.keys(candidates).length > 2)).toBe(true);

  const emit = ['--emit', 'schedule', '--target', target, '--tuning', file];
  const { stdout } = await unetc('compile', graph, ...emit);
  const convolutions = stdout.split('\n').filter((line) => /^#\d+ conv/.test(line));
  expect(convolutions.length).toBeGreaterThan(3);
  expect(convolutions.filter((line) => !line.includes('chosen[measured '))).toEqual([]);

  const again = await unetc('tune', ...words);
  expect(again.stdout).toMatch(/written to .*; (every choice stays as it was|\d+ choices? changed:)/);
});
