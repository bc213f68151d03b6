// Choices for throughput: of what a batch decides nothing, of what dispatches cost less.

import { expect, test } from 'vitest';
import { compileGraph } from '../../../../compiler/compile.ts';
import { loadGraph } from '../../../../compiler/graph/load.ts';
import { convMicroseconds } from '../../../../compiler/schedule/choices/cost-model.ts';
import { initialGroups } from '../../../../compiler/schedule/groups.ts';
import { GENERIC, SOFTWARE } from '../../../../compiler/target.ts';
import { inSlices } from '../../../fixtures/in-slices.ts';
import { goldenGraph } from '../../../golden-cases.ts';

const { graph } = loadGraph(goldenGraph('tiny-film'), 'tiny-film');

function choices(options: { readonly throughput?: boolean; readonly batch: number }) {
  const { schedule } = compileGraph(graph, { target: SOFTWARE, ...options });
  return schedule.groups.flatMap((group) =>
    group.kind === 'conv' ? [[group.anchor, group.winograd, group.tile]] : [],
  );
}

test('are the same at every batch, and recorded in the bundle where they were asked for', () => {
  expect(choices({ throughput: true, batch: 1 })).toEqual(choices({ throughput: true, batch: 16 }));
  expect(choices({ batch: 1 })).toEqual(choices({ batch: 16 }));
  const compilerOf = (throughput?: boolean) =>
    compileGraph(graph, { target: SOFTWARE, ...(throughput === undefined ? {} : { throughput }) }).bundle
      .manifest.compiler;
  expect(compilerOf(true)).toMatchObject({ throughput: true });
  expect(compilerOf(false)).toEqual(compilerOf());
  expect(compilerOf()).not.toHaveProperty('throughput');
});

test('count a sixteenth of what a dispatch takes, which an algorithm of three of them gains by', () => {
  const { ops } = compileGraph(graph, { target: SOFTWARE });
  const [group] = initialGroups(ops).filter((one) => one.kind === 'conv');
  const cost = (winograd: 4 | null, samples: number) =>
    convMicroseconds(ops, group!, { winograd, tile: { m: 8, n: 32 } }, samples);
  const gain = (winograd: 4 | null) => cost(winograd, 1) - cost(winograd, 16);
  expect(gain(4)).toBeCloseTo(3 * gain(null));
  expect(gain(null)).toBeCloseTo(20 * (15 / 16));
});

test('leave out slices where a rule chooses, and change no tile', () => {
  const chosen = (throughput: boolean) => {
    const { groups } = compileGraph(graph, { target: inSlices(GENERIC), throughput }).schedule;
    return groups.flatMap((group) => (group.kind === 'conv' ? [group] : []));
  };
  const [many, first] = [chosen(true), chosen(false)];
  expect(new Set(many.map(({ slices }) => slices))).toEqual(new Set([1]));
  expect(first.some(({ slices }) => slices > 1)).toBe(true);
  expect(many.map(({ tile }) => tile)).toEqual(first.map(({ tile }) => tile));
});
