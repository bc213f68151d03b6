// Tunings: what a group's key says, and which candidate a measurement makes the schedule take.

import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../../../compiler/compile.ts';
import { loadGraph } from '../../../../compiler/graph/load.ts';
import { buildSchedule } from '../../../../compiler/schedule/build.ts';
import { isNormed, keyOf, type Tuning } from '../../../../compiler/schedule/choices/tuning.ts';
import type { ScheduledConv } from '../../../../compiler/schedule/schedule.ts';
import { GENERIC, SOFTWARE, type Target } from '../../../../compiler/target.ts';
import { graphOf } from '../../../fixtures/text.ts';
import { goldenGraph } from '../../../golden-cases.ts';

const PLAIN = `
  %0 = input() {name="x", type=f32[2,64,16,16]}
  %1 = param() {name="w", shape=[32, 64, 3, 3]}
  %2 = param() {name="b", shape=[32]}
  %3 = conv(%0, %1, %2) {stride=[1, 1], padding=[1, 1]}
  return output=%3
`;
const NORMED = `
  %0 = input() {name="x", type=f32[1,64,16,16]}
  %1 = param() {name="g", shape=[64]}
  %2 = param() {name="h", shape=[64]}
  %3 = group_norm(%0, %1, %2) {groups=32, eps=0.00001}
  %4 = silu(%3)
  %5 = param() {name="w", shape=[64, 64, 3, 3]}
  %6 = param() {name="b", shape=[64]}
  %7 = conv(%4, %5, %6) {stride=[1, 1], padding=[1, 1]}
  return output=%7
`;
const PLAIN_KEY = 'conv 64>32 3x3 s1 p1 16x16';

function convolution(text: string, target: Target = SOFTWARE, tuning?: Tuning, strict = false) {
  const graph = graphOf(text);
  const schedule = buildSchedule(graph, target, undefined, { strict, tuning });
  return { graph, schedule, group: schedule.groups.find((one) => one.kind === 'conv')! };
}

function chosen({ winograd, tile, reason }: ScheduledConv) {
  return { winograd, tile: `${tile.m}x${tile.n}`, reason };
}

describe('a key', () => {
  it('says what is computed, and nothing of the batch or of what was chosen', () => {
    const { graph, group } = convolution(PLAIN);
    expect(keyOf(graph, group)).toBe(PLAIN_KEY);
    expect(isNormed(graph, group)).toBe(false);
    const normed = 'conv 64>64 3x3 s1 p1 16x16 norm';
    for (const candidate of ['direct 16x32', 'winograd4 16x64']) {
      const one = convolution(NORMED, SOFTWARE, { [normed]: { [candidate]: 1 } });
      expect(keyOf(one.graph, one.group)).toBe(normed);
    }
  });

  it('has strides, paddings and transposition of every dimension', () => {
    const { graph, group } = convolution(`
      %0 = input() {name="x", type=f32[1,8,4,6]}
      %1 = param() {name="w", shape=[8, 12, 2, 4]}
      %2 = param() {name="b", shape=[12]}
      %3 = conv_transpose(%0, %1, %2) {stride=[2, 2], padding=[0, 1], output_padding=[0, 0]}
      return output=%3
    `);
    expect(keyOf(graph, group)).toBe('conv_transpose 8>12 2x4 s2 p0x1 8x12');
  });

  it('tells a model from its batch in nothing', () => {
    const { graph } = loadGraph(goldenGraph('tiny-film'), 'tiny-film');
    for (const target of [SOFTWARE, GENERIC]) {
      const keys = (batch: number) => {
        const { schedule } = compileGraph(graph, { batch, target });
        return schedule.groups.filter((g) => g.kind === 'conv').map((g) => keyOf(schedule.graph, g));
      };
      expect(keys(3)).toEqual(keys(1));
    }
  });
});

describe('a tuning', () => {
  const times = { 'direct 8x32': 20.4, 'direct 32x32': 31, 'winograd2 16x32': 11.2, 'winograd4 32x32': 300 };

  it('makes the fastest of the measured candidates the choice, and says so', () => {
    expect(chosen(convolution(PLAIN, SOFTWARE, { [PLAIN_KEY]: times }).group)).toEqual({
      winograd: 2,
      tile: '16x32',
      reason: 'measured winograd2 16x32 11 us, direct 8x32 20 us, winograd4 32x32 300 us',
    });
  });

  it('chooses only what is legal', () => {
    const strict = convolution(PLAIN, SOFTWARE, { [PLAIN_KEY]: times }, true).group;
    expect(chosen(strict)).toMatchObject({ winograd: null, tile: '8x32' });
    const foreign = convolution(PLAIN, SOFTWARE, { [PLAIN_KEY]: { 'direct 64x64': 1 } }).group;
    expect(chosen(foreign)).toEqual(chosen(convolution(PLAIN).group));
  });

  it('leaves groups that it does not know to the model', () => {
    const other = { 'conv 64>32 3x3 s1 p1 8x8': times };
    expect(chosen(convolution(PLAIN, SOFTWARE, other).group)).toEqual(chosen(convolution(PLAIN).group));
  });

  it('chooses tiles of workgroups too, which have no model', () => {
    expect(chosen(convolution(PLAIN, GENERIC).group).reason).toBe(null);
    const tuned = convolution(PLAIN, GENERIC, { [PLAIN_KEY]: { 'direct 64x64': 9, 'direct 16x32': 12 } });
    expect(chosen(tuned.group)).toEqual({
      winograd: null,
      tile: '64x64',
      reason: 'measured direct 64x64 9 us',
    });
  });

  it('decides whether the norm is written or taken along', () => {
    const key = 'conv 64>64 3x3 s1 p1 16x16 norm';
    const kinds = (candidate: string) =>
      convolution(NORMED, SOFTWARE, { [key]: { [candidate]: 1 } }).schedule.groups.map(({ kind }) => kind);
    expect(kinds('direct 16x64')).toContain('map');
    expect(kinds('winograd4 16x64')).not.toContain('map');
  });
});
