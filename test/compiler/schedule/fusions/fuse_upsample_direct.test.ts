import { expect, test } from 'vitest';
import { backendOf } from '../../../../compiler/schedule/backends/index.ts';
import { buildSchedule } from '../../../../compiler/schedule/build.ts';
import { chooseConv, createPrices } from '../../../../compiler/schedule/choices/prices.ts';
import { fuse_upsample_direct } from '../../../../compiler/schedule/fusions/fuse_upsample_direct.ts';
import type { ScheduledConv } from '../../../../compiler/schedule/schedule.ts';
import { SOFTWARE } from '../../../../compiler/target.ts';
import { graphOf } from '../../../fixtures/text.ts';

const upsample = `
  %0 = input() {name="x", type=f32[1,32,8,8]}
  %1 = upsample_nearest(%0) {factor=[2, 2]}
  %2 = param() {name="w", shape=[32, 32, 3, 3]}
  %3 = param() {name="b", shape=[32]}
  %4 = conv(%1, %2, %3) {stride=[1, 1], padding=[1, 1]}`;
const KEY = 'conv 32>32 3x3 s1 p1 16x16';

/** Kinds of the groups but transfers, with what is upsampled in them, where one candidate was measured. */
function groups(text: string, candidate: string) {
  const options = { tuning: { [KEY]: { [candidate]: 1 } } };
  const graph = graphOf(text);
  const backend = backendOf(SOFTWARE);
  const prices = createPrices(graph, backend, options);
  const fusions = [
    fuse_upsample_direct((group) => chooseConv(graph, group, backend, prices, new Set([2, 4]))),
  ];
  const schedule = buildSchedule(graph, SOFTWARE, fusions, options);
  return schedule.groups
    .filter(({ kind }) => kind !== 'transfer')
    .map((group) => {
      const { kind, upsample = null, sources, winograd = null } = group as Partial<ScheduledConv>;
      return { kind, upsample, sources, winograd };
    });
}

test('a convolution by its taps reads the small image', () => {
  expect(groups(`${upsample}\n return output=%4`, 'direct 32x32')).toEqual([
    { kind: 'conv', upsample: 1, sources: [0], winograd: null },
  ]);
});

test("one by Winograd's algorithm reads the large one", () => {
  expect(groups(`${upsample}\n return output=%4`, 'winograd4 32x32')).toEqual([
    { kind: 'map', upsample: 1, sources: [0], winograd: null },
    { kind: 'conv', upsample: null, sources: [1], winograd: 4 },
  ]);
});

test('not where the large image is read by others, too', () => {
  const kinds = groups(`${upsample}\n %5 = add(%4, %1)\n return output=%5`, 'direct 32x32');
  expect(kinds.map(({ kind, upsample }) => [kind, upsample])).toEqual([
    ['map', 1],
    ['conv', null],
    ['map', null],
  ]);
});
