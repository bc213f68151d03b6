// Tiles of Winograd's algorithm that hardly pay in a graph: given up for all of its convolutions, and only there.

import { describe, expect, it } from 'vitest';
import { buildSchedule } from '../../../compiler/schedule/build.ts';
import type { Tuning } from '../../../compiler/schedule/tuning.ts';
import { GENERIC, SOFTWARE } from '../../../compiler/target.ts';
import { graphOf } from '../../fixtures/text.ts';

/** A large convolution, and one behind a norm. */
const TEXT = `
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

function second(times: Tuning[string], target = SOFTWARE) {
  const tuning = { ...FIRST, 'conv 64>32 3x3 s1 p1 16x16 norm': times };
  const { groups } = buildSchedule(graphOf(TEXT), target, undefined, { tuning });
  const { winograd, prologue, reason } = groups.filter((group) => group.kind === 'conv').at(-1)!;
  return { winograd, normed: prologue.length > 0, reason };
}

describe('an algorithm', () => {
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

  it('is none of a target without it', () => {
    expect(second({ 'winograd4 32x32': 100, 'direct 16x32': 110 }, GENERIC)).toMatchObject({
      winograd: null,
    });
  });
});
