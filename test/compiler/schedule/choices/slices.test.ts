// How many workgroups share the inner dimension of a convolution: whole, in order, and never by the batch.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CompileOptions, compileGraph } from '../../../../compiler/compile.ts';
import type { Graph } from '../../../../compiler/graph/graph.ts';
import { loadGraph } from '../../../../compiler/graph/load.ts';
import { MOST_BYTES, slicesOf } from '../../../../compiler/schedule/choices/slices.ts';
import { printSchedule } from '../../../../compiler/schedule/print.ts';
import { APPLE, GENERIC, HALF, NVIDIA, SOFTWARE, type Target } from '../../../../compiler/target.ts';
import { findDevice } from '../../../../engine/expected/devices.ts';
import { expectedTimes } from '../../../../engine/expected/expected-time.ts';

const published = (name: string): Graph => {
  const text = readFileSync(new URL(`../../../../graphs/${name}.json`, import.meta.url), 'utf8');
  return loadGraph(text, name).graph;
};
const cifar10 = published('cifar10');

function slicesIn(target: Target, options: CompileOptions): readonly number[] {
  const { groups } = compileGraph(cifar10, { target, ...options }).schedule;
  return groups.flatMap((group) => (group.kind === 'conv' ? [group.slices] : []));
}

test('slices have all of the inner dimension, none is empty, and none has rounds of both convolutions', () => {
  const inner = fc.record({
    stages: fc.integer({ min: 1, max: 200 }),
    rounds: fc.integer({ min: 1, max: 9 }),
    skip: fc.nat(60),
  });
  fc.assert(
    fc.property(inner, fc.integer({ min: 2, max: 16 }), (one, most) => {
      const { count, main, stages, skip } = slicesOf(one, most);
      expect(count).toBeLessThanOrEqual(most);
      expect((main - 1) * stages).toBeLessThan(one.stages);
      expect(main * stages).toBeGreaterThanOrEqual(one.stages);
      expect((count - main - 1) * skip).toBeLessThan(one.skip);
      expect((count - main) * skip).toBeGreaterThanOrEqual(one.skip);
    }),
  );
});

const targets: readonly (readonly [Target, 'f16' | 'f32'])[] = [
  [GENERIC, 'f32'],
  [HALF, 'f16'],
  [APPLE, 'f16'],
  [NVIDIA, 'f16'],
];

describe.each(targets)('on $name', (target, precision) => {
  test('small maps are sliced, and at every batch alike', () => {
    const one = slicesIn(target, { precision });
    expect(Math.max(...one)).toBeGreaterThan(1);
    expect(slicesIn(target, { precision, batch: 48 })).toEqual(one);
  });

  test('nothing is sliced where throughput counts', () => {
    expect(new Set(slicesIn(target, { precision, throughput: true }))).toEqual(new Set([1]));
  });
});

test('processors slice nothing, in float16 neither', () => {
  for (const precision of ['f32', 'f16'] as const)
    expect(new Set(slicesIn(SOFTWARE, { precision })), precision).toEqual(new Set([1]));
});

test('slices of a large batch are computed in parts, and take no more memory than they may', () => {
  const { bundle, memory, schedule } = compileGraph(cifar10, {
    target: NVIDIA,
    precision: 'f16',
    batch: 256,
  });
  const parts = memory.lifetimes.filter(({ name }) => name.startsWith('w'));
  expect(parts.length).toBeGreaterThan(0);
  for (const { bytes } of parts) expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  const sliced = schedule.groups.filter((group) => group.kind === 'conv' && group.slices > 1);
  const sums = bundle.manifest.dispatches.filter(({ kernel }) =>
    bundle.manifest.kernels[kernel]!.file.startsWith('sum_slices'),
  );
  expect(sums.length).toBeGreaterThan(sliced.length);
});

test('the schedule says it, and what follows the convolution is the sum’s', () => {
  const lines = printSchedule(compileGraph(cifar10, { target: NVIDIA, precision: 'f16' }).schedule);
  expect(lines).toMatch(
    /conv 16x32 {2}slices\[8\] {2}prologue\[group_norm, film, silu\] {2}epilogue\[add\] {2}statistics\[1x16\]/,
  );
});

test('a pass of one image is expected to take less, and each sliced convolution with its sum, too', () => {
  const device = findDevice('h100');
  const times = (throughput: boolean) => {
    const { bundle } = compileGraph(cifar10, { target: NVIDIA, precision: 'f16', throughput });
    const byPath = new Map<string, number>();
    for (const { index, us } of expectedTimes(bundle, device)) {
      const { group } = bundle.manifest.dispatches[index]!;
      const value = /-> (%\d+)/.exec(group)![1]!;
      byPath.set(value, (byPath.get(value) ?? 0) + us);
    }
    return byPath;
  };
  const [sliced, whole] = [times(false), times(true)];
  for (const [value, us] of sliced) expect(us, value).toBeLessThanOrEqual(whole.get(value)! + 0.01);
  const total = (all: ReadonlyMap<string, number>) => [...all.values()].reduce((sum, us) => sum + us, 0);
  expect(total(sliced)).toBeLessThan(0.75 * total(whole));
});
