// Winograd convolutions against their own roof, on the schedules that the compiler writes.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { targetFor } from '../../../engine/compile/target-choice.ts';
import { shippedTuning } from '../../../engine/compile/tuning-choice.ts';
import { analyse, raisedPeaks } from '../../../engine/profile/profile.ts';

const target = targetFor('software');
const { graph } = loadGraph(readFileSync('graphs/cifar10.json', 'utf8'), 'cifar10');
const { manifest } = compileGraph(graph, { target, tuning: shippedTuning(target), batch: 40 }).bundle;
const peaks = { gflops_per_s: 100, gb_per_s: 1e6, source: 'given' } as const;
const times = manifest.dispatches.map(() => 1);
const { dispatches, plain_flops, total } = analyse(manifest, [times], peaks);

/** The dispatches of a group of the schedule. */
const groups = [...new Set(dispatches.map(({ group }) => group))].map((group) =>
  dispatches.filter((one) => one.group === group),
);
const winograd = groups.filter(([one]) => /^#\d+ conv winograd/.test(one!.group));

test('the products take the fewer multiplications of the algorithm, the transforms their additions', () => {
  expect(winograd.length).toBeGreaterThan(20);
  for (const members of winograd) {
    const [, tile, channels, height, width] = /winograd([24]).*? f32\[40,(\d+),(\d+),(\d+)\]/.exec(
      members[0]!.group,
    )!;
    const m = Number(tile);
    const of = (kernel: string) => members.filter((one) => one.kernel === kernel);
    const flops = (kernel: string) => of(kernel).reduce((sum, one) => sum + one.flops, 0);
    // what the transforms read, in quads of channels, is what the plain sum would run over
    const read = of('winograd_input_subgroup').map(({ index }) => manifest.dispatches[index]!.workgroups);
    const from = read.reduce((sum, [, quads, samples]) => sum + 4 * quads * samples, 0) / 40;
    const plain = 2 * 9 * from * Number(channels) * Number(height) * Number(width) * 40;
    const ratio = (m + 2) ** 2 / (9 * m * m);
    const full = Number(height) % m === 0 && Number(width) % m === 0;
    if (full) expect(flops('conv_subgroup') / plain).toBeCloseTo(ratio, 9);
    else expect(flops('conv_subgroup') / plain).toBeGreaterThan(ratio);
    for (const transform of ['winograd_input_subgroup', 'winograd_output_subgroup']) {
      expect(flops(transform)).toBeGreaterThan(0);
      for (const one of of(transform)) expect(one.bytes).toBeGreaterThan(0);
    }
    // the result and its planes are written and read once, whatever the parts of the batch
    const values = 40 * Number(channels);
    const tiles = Math.ceil(Number(height) / m) * Math.ceil(Number(width) / m);
    const bytes = of('winograd_output_subgroup').reduce((sum, one) => sum + one.bytes, 0);
    expect(bytes).toBe(values * 4 * (Number(height) * Number(width) + (m + 2) ** 2 * tiles));
  }
});

test('other groups have what the manifest says, and the whole says both counts', () => {
  for (const members of groups.filter((one) => !winograd.includes(one))) {
    for (const { index, flops, bytes } of members) {
      expect({ flops, bytes }).toMatchObject({
        flops: manifest.dispatches[index]!.flops,
        bytes: manifest.dispatches[index]!.bytes,
      });
    }
  }
  expect(plain_flops).toBe(manifest.dispatches.reduce((sum, { flops }) => sum + flops, 0));
  expect(total.flops).toBeLessThan(plain_flops);
});

test('no dispatch is beyond peaks that were raised to what it reached; given ones stay', () => {
  const slow = { gflops_per_s: 1, gb_per_s: 1, source: 'measured' } as const;
  const raised = raisedPeaks(slow, {}, dispatches);
  const again = analyse(manifest, [times], raised);
  expect(Math.max(...again.dispatches.map(({ roofline }) => roofline!))).toBeCloseTo(1, 9);
  expect(raisedPeaks(slow, { gflops_per_s: 7 }, dispatches)).toMatchObject({ gflops_per_s: 7 });
  const unseen = [{ ms: 0.0001, gflops_per_s: 1e9, gb_per_s: 1e9 }];
  expect(raisedPeaks(slow, {}, unseen)).toEqual(slow);
});
