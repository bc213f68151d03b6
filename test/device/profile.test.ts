// `unetc profile` on the adapter: every dispatch has a time, and together they are no longer than the pass.

import fs from 'node:fs';
import { expect, test } from 'vitest';
import type { Profile } from '../../engine/profile/measure.ts';
import { inspectAdapter } from '../../runtime/host/node/dawn.ts';
import { TIMING_FEATURE } from '../../runtime/timing.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { testTargets } from '../on-device.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unetc, unetcJson } from '../unetc.ts';

const at = temporaryFolder();
const { features } = await inspectAdapter();
const targets = await testTargets();
const timed = test.skipIf(!features.has(TIMING_FEATURE));

function small(): string {
  fs.writeFileSync(at('small.json'), SMALL_GRAPH);
  return at('small.json');
}

timed.each(targets.map(({ name }) => name))('target %s: times add up', async (target) => {
  const words = ['--target', target, '--runs', '3', '--batch', '2'];
  const profile = await unetcJson<Profile>('profile', small(), ...words);
  expect(profile).toMatchObject({ exit: 0, name: 'small', batch: 2, target, runs: 3 });
  const { dispatches, kernels, gpu_ms, pass_ms, peaks } = profile;
  expect(dispatches.length).toBeGreaterThan(10);
  expect(dispatches.every(({ ms, ms_min }) => ms >= ms_min && ms_min >= 0)).toBe(true);
  expect(dispatches.filter(({ ms }) => ms > 0).length).toBeGreaterThan(dispatches.length / 2);
  expect(dispatches.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(gpu_ms, 6);
  expect(kernels.reduce((sum, one) => sum + one.dispatches, 0)).toBe(dispatches.length);
  expect(kernels.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
  // The GPU's clock counts milliseconds as ours does: each pass of its own costs something, an order does not.
  expect(gpu_ms).toBeGreaterThan(0);
  expect(gpu_ms).toBeLessThan(10 * pass_ms);
  const { timed } = profile;
  expect(timed.dispatches_ms).toBe(gpu_ms);
  expect(timed.dispatches_ms + timed.between_ms + timed.outside_ms).toBeCloseTo(timed.ms, 9);
  expect(timed.outside_ms).toBeGreaterThan(0);
  expect(dispatches.filter(({ roofline }) => (roofline ?? 0) > 1 + 1e-9)).toEqual([]);
  expect(peaks.source).toBe('measured');
  expect(peaks.gflops_per_s).toBeGreaterThan(0.01);
  expect(peaks.gb_per_s).toBeGreaterThan(0.01);
});

timed('the gradients of a training batch: forward pass and backward pass', async () => {
  const words = ['--gradients', '--runs', '1', '--peak-gflops', '100', '--peak-gbs', '20'];
  const profile = await unetcJson<Profile>('profile', small(), ...words);
  expect(profile).toMatchObject({ exit: 0, name: 'small' });
  const isBackward = ({ path }: { readonly path: string }) => path.includes('.gradient');
  for (const part of [
    profile.dispatches.filter(isBackward),
    profile.dispatches.filter((d) => !isBackward(d)),
  ])
    expect(part.reduce((sum, { ms }) => sum + ms, 0)).toBeGreaterThan(0);
});

timed('a bundle with given peaks: table, trace and plot', async () => {
  await unetc('compile', small(), '-o', at('b'));
  const peaks = ['--peak-gflops', '100', '--peak-gbs', '20'];
  const files = ['--trace', at('trace.json'), '--svg', at('plot.svg')];
  const { exit, stdout } = await unetc('profile', at('b'), '--runs', '1', '--top', '3', ...peaks, ...files);
  expect(exit).toBe(0);
  expect(stdout).toContain('peaks (given): 100 GFLOP/s, 20.0 GB/s');
  expect(stdout).toMatch(/\.\.\. and \d+ more/);
  const { traceEvents } = JSON.parse(fs.readFileSync(at('trace.json'), 'utf8')) as {
    traceEvents: readonly { cat?: string; ts: number; dur: number }[];
  };
  const spans = traceEvents.filter(({ cat }) => cat === 'dispatch');
  expect(spans.length).toBeGreaterThan(10);
  // Dispatches depend on each other: none begins before the one before it ended.
  spans.slice(1).forEach(({ ts }, i) => {
    expect(ts).toBeGreaterThanOrEqual(spans[i]!.ts + spans[i]!.dur - 1e-3);
  });
  expect(fs.readFileSync(at('plot.svg'), 'utf8')).toMatch(
    /^<svg [\s\S]*<circle[^>]*><title>[\s\S]*<\/svg>\n$/,
  );
});
