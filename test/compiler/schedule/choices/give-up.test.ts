// Tiles of Winograd's algorithm that hardly pay, and kernels that few convolutions use: given up where others do their work in
// about the same time, and only there.

import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../../../compiler/compile.ts';
import { loadGraph } from '../../../../compiler/graph/load.ts';
import { buildSchedule } from '../../../../compiler/schedule/build.ts';
import { keyOf, type Tuning } from '../../../../compiler/schedule/choices/tuning.ts';
import { SOFTWARE } from '../../../../compiler/target.ts';
import { graphOf } from '../../../fixtures/text.ts';
import { goldenGraph } from '../../../golden-cases.ts';

/** Two convolutions, each with a tuning of its own. */
const TWO = `
  %0 = input() {name="x", type=f32[1,64,16,16]}
  %1 = param() {name="w", shape=[64, 64, 3, 3]}
  %2 = param() {name="b", shape=[64]}
  %3 = conv(%0, %1, %2) {stride=[1, 1], padding=[1, 1]}
  %4 = param() {name="v", shape=[32, 64, 3, 3]}
  %5 = param() {name="c", shape=[32]}
  %6 = conv(%3, %4, %5) {stride=[1, 1], padding=[1, 1]}
  return output=%6
`;
const LARGE = 'conv 64>64 3x3 s1 p1 16x16';
const SMALL = 'conv 64>32 3x3 s1 p1 16x16';

function choices(text: string, tuning: Tuning) {
  const { groups } = buildSchedule(graphOf(text), SOFTWARE, undefined, { tuning });
  return groups
    .filter((group) => group.kind === 'conv')
    .map(({ winograd, tile, reason }) => ({ winograd, tile: `${tile.m}x${tile.n}`, reason }));
}

describe('a kernel that is hardly missed', () => {
  it('is given up, and the reason says for what', () => {
    const tuning = {
      [LARGE]: { 'direct 32x32': 1000, 'direct 16x32': 1400 },
      [SMALL]: { 'direct 32x32': 104, 'direct 16x32': 100 },
    };
    expect(choices(TWO, tuning)[1]).toEqual({
      winograd: null,
      tile: '32x32',
      reason: 'measured direct 32x32 104 us; a kernel less than with direct 16x32 100 us',
    });
  });

  it('stays where its convolutions would take more than half a percent of all', () => {
    const tuning = {
      [LARGE]: { 'direct 32x32': 1000, 'direct 16x32': 1400 },
      [SMALL]: { 'direct 32x32': 107, 'direct 16x32': 100 },
    };
    expect(choices(TWO, tuning)[1]).toMatchObject({ tile: '16x32', reason: 'measured direct 16x32 100 us' });
  });

  it('stays where the others cannot do its work', () => {
    const tuning = { [LARGE]: { 'winograd4 32x32': 1000 }, [SMALL]: { 'direct 16x32': 1 } };
    expect(choices(TWO, tuning).map(({ winograd }) => winograd)).toEqual([4, null]);
  });

  it('is given up for one that writes statistics, too', () => {
    const text = `
      %0 = input() {name="x", type=f32[1,64,16,16]}
      %1 = param() {name="w", shape=[64, 64, 3, 3]}
      %2 = param() {name="b", shape=[64]}
      %3 = conv(%0, %1, %2) {stride=[1, 1], padding=[1, 1]}
      %4 = param() {name="g", shape=[64]}
      %5 = param() {name="h", shape=[64]}
      %6 = group_norm(%3, %4, %5) {groups=32, eps=0.00001}
      %7 = param() {name="v", shape=[64, 64, 3, 3]}
      %8 = param() {name="c", shape=[64]}
      %9 = conv(%6, %7, %8) {stride=[1, 1], padding=[1, 1]}
      return output=%9
    `;
    const times = { 'direct 32x32': 100, 'direct 16x32': 150 };
    const both = choices(text, { [LARGE]: times, [`${LARGE} norm`]: times });
    expect(both.map(({ reason }) => reason)).toEqual([
      'measured direct 32x32 100 us',
      'measured direct 32x32 100 us; a kernel less with statistics that nobody reads',
    ]);
  });

  it('is no concern of a schedule without convolutions', () => {
    const text = '%0 = input() {name="x", type=f32[1,4,8,8]}\n%1 = silu(%0)\nreturn output=%1';
    expect(choices(text, {})).toEqual([]);
  });
});

describe('what kernels are shared', () => {
  it('depends on nothing of the batch', () => {
    const { graph } = loadGraph(goldenGraph('tiny-film'), 'tiny-film');
    const at = (batch: number) => {
      const { schedule } = compileGraph(graph, { batch, target: SOFTWARE });
      const convolutions = schedule.groups.filter((group) => group.kind === 'conv');
      return convolutions.map((group) => [keyOf(schedule.graph, group), group.winograd, group.tile]);
    };
    expect(at(4)).toEqual(at(1));
  });
});

/** A large convolution, and one behind a norm. */
const BEHIND_NORM = `
  %0 = input() {name="x", type=f32[1,64,16,16]}
  %1 = param() {name="w", shape=[64, 64, 1, 1]}
  %2 = param() {name="b", shape=[64]}
  %3 = conv(%0, %1, %2) {stride=[1, 1], padding=[0, 0]}
  %4 = param() {name="g", shape=[64]}
  %5 = param() {name="h", shape=[64]}
  %6 = group_norm(%3, %4, %5) {groups=32, eps=0.00001}
  %7 = param() {name="v", shape=[32, 64, 3, 3]}
  %8 = param() {name="c", shape=[32]}
  %9 = conv(%6, %7, %8) {stride=[1, 1], padding=[1, 1]}
  return output=%9
`;
const FIRST = { 'conv 64>64 1x1 s1 p0 16x16': { 'direct 32x32': 1000 } };

function second(times: Tuning[string]) {
  const tuning = { ...FIRST, 'conv 64>32 3x3 s1 p1 16x16 norm': times };
  const { groups } = buildSchedule(graphOf(BEHIND_NORM), SOFTWARE, undefined, { tuning });
  const { winograd, prologue, reason } = groups.filter((group) => group.kind === 'conv').at(-1)!;
  return { winograd, normed: prologue.length > 0, reason };
}

describe('a tile of Winograd’s algorithm that hardly pays', () => {
  it('is given up where that costs a hundredth of all convolutions, and the reason still says what it takes', () => {
    expect(second({ 'winograd4 32x32': 100, 'direct 32x32': 110 })).toEqual({
      winograd: null,
      normed: false,
      reason: expect.stringMatching(/^measured direct 32x32 110 us, winograd4 32x32 100 us/),
    });
  });

  it('stays where more is lost', () => {
    expect(second({ 'winograd4 32x32': 100, 'direct 32x32': 112 })).toMatchObject({
      winograd: 4,
      normed: true,
    });
  });

  it('is given up for the other one, which stays', () => {
    const times = { 'winograd2 32x32': 100, 'winograd4 32x32': 101, 'direct 32x32': 300 };
    expect(second(times)).toMatchObject({ winograd: 4, normed: true });
  });

  it('stays where nothing is known of the others', () => {
    expect(second({ 'winograd2 32x32': 100 })).toMatchObject({ winograd: 2 });
  });
});
