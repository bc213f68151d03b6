// `unetc profile --host`: the host's part of a pass, on the backend that computes nothing.

import fs from 'node:fs';
import { expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { type HostTime, hollow } from '../../../engine/profile/host-time.ts';

import { SMALL_GRAPH } from '../../fixtures/small-graph.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { unetc, unetcJson } from '../../unetc.ts';

const at = temporaryFolder();

test.each(['generic', 'software'])('target %s: both ways to convert layouts', async (target) => {
  fs.writeFileSync(at('small.json'), SMALL_GRAPH);
  const words = [at('small.json'), '--target', target, '--batch', '3', '--runs', '2', '--host'];
  const time = await unetcJson<HostTime>('profile', ...words);
  expect(time).toMatchObject({ exit: 0, name: 'small', batch: 3, target, runs: 2 });
  expect(time.layouts.map(({ converted_by }) => converted_by)).toEqual(['host', 'adapter']);
  for (const { ms, ms_min, cpu_ms } of time.layouts) {
    expect(ms).toBeGreaterThanOrEqual(ms_min);
    expect(ms_min).toBeGreaterThan(0);
    expect(cpu_ms).toBeGreaterThan(0);
  }
  const { stdout } = await unetc('profile', ...words);
  expect(stdout).toMatch(/^layouts converted by the adapter( +\d+\.\d\d){3}$/m);
});

test('what tells of a GPU goes with no --host', async () => {
  const { exit, stderr } = await unetc('profile', at('small.json'), '--host', '--peak-gflops', '3');
  expect(exit).toBe(2);
  expect(stderr).toContain('--peak-gflops says what is told of a GPU, and --host measures none');
});

test('a hollow bundle is small but for what the host writes and reads', () => {
  const { bundle } = compileGraph(loadGraph(SMALL_GRAPH, 'small').graph, { batch: 64 });
  const { slots, inputs, outputs, weights } = hollow(bundle).manifest;
  for (const { slot } of [...inputs, ...outputs]) expect(slots[slot]).toEqual(bundle.manifest.slots[slot]);
  const bytes = (of: typeof slots) => of.reduce((sum, one) => sum + one.bytes, 0);
  expect(bytes(slots)).toBeLessThan(bytes(bundle.manifest.slots));
  expect(weights.every(({ parts }) => parts.length === 0)).toBe(true);
});
