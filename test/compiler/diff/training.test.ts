// The training family: what of a run carries over to a changed graph, and when a change is grave.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffSides } from '../../../compiler/diff/diff.ts';
import type { CarriedTensor, TrainingCost, TrainingSides } from '../../../compiler/diff/training.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { BASE, type GraphPatch } from '../../fixtures/diff-pairs.ts';
import { findingLines, patched, sideOf } from '../../fixtures/diff-sides.ts';

const COST: TrainingCost = {
  ...{ bytes: 1000, state_bytes: 600, activation_bytes: 400, flops: 5000 },
  ...{ recomputed_flops: 0, recomputed_blocks: 0 },
};
const SAME: TrainingSides = { batch: 4, precision: 'f32', a: COST, b: COST, limit: null, fits: null };

const compared = (to: GraphPatch, sides: Partial<TrainingSides> = {}) =>
  diffSides(sideOf(BASE), sideOf(patched(to)), { ...SAME, ...sides });
const lines = (to: GraphPatch, sides: Partial<TrainingSides> = {}) =>
  findingLines(compared(to, sides).findings.filter(({ family }) => family === 'training'));
const counts = (carried: readonly CarriedTensor[]) =>
  Object.fromEntries(
    [...new Set(carried.map(({ is }) => is))].map((is) => [
      is,
      carried.filter((one) => one.is === is).length,
    ]),
  );

describe('runs of the old graph', () => {
  test.each<[string, GraphPatch, readonly string[]]>([
    ['go on where nothing of their bytes changed', { unet: { use_checkpoint: true } }, []],
    ['begin another folder where a name did', { name: 'other' }, ['~ dangerous training/folder runs']],
    [
      'carry over by a map where a block is new and inert',
      { unet: { attention_resolutions: [1, 2] } },
      ['~ dangerous training/folder runs', '~ dangerous training/renamed runs'],
    ],
    [
      'lack what has another shape',
      { unet: { out_channels: 6 } },
      ['- breaking training/lost runs', '~ dangerous training/folder runs'],
    ],
  ])('%s', (_, to, expected) => {
    expect(lines(to)).toEqual(expected);
  });

  test('are told tensor by tensor', () => {
    const { carried } = compared({ unet: { attention_resolutions: [1, 2] } }).training!;
    expect(counts(carried)).toEqual({ kept: 128, zeros: 18 });
    const fewer = counts(compared({ unet: { channel_mult: [1] } }).training!.carried);
    expect(Object.keys(fewer).toSorted()).toEqual(['gone', 'kept', 'renamed', 'reshaped']);
    const reshaped = compared({ unet: { out_channels: 6 } }).training!.carried.filter(
      ({ is }) => is !== 'kept',
    );
    expect(reshaped).toEqual([
      { from: 'out.2.weight', to: 'out.2.weight', is: 'reshaped' },
      { from: 'out.2.bias', to: 'out.2.bias', is: 'reshaped' },
    ]);
  });

  test('account for every parameter of two arbitrary graphs, once', () => {
    const anyGraph = fc.oneof(arbitraryCompactGraph, arbitraryExplicitGraph);
    fc.assert(
      fc.property(anyGraph, anyGraph, (x, y) => {
        const [a, b] = [sideOf(x), sideOf(y)];
        const { carried } = diffSides(a, b, SAME).training!;
        const names = (side: 'from' | 'to') =>
          carried.map((one) => one[side]).filter((name) => name !== null);
        expect(names('to')).toEqual(b.parameters.map(({ name }) => name));
        expect(names('from').toSorted()).toEqual(a.parameters.map(({ name }) => name).toSorted());
      }),
      { numRuns: 60, seed: 5 },
    );
  });
});

describe('a step', () => {
  const name = { name: 'base' };
  test('is info where it takes a little more, and dangerous from a tenth on', () => {
    expect(lines(name)).toEqual([]);
    expect(lines(name, { b: { ...COST, bytes: 1090, flops: 4000 } })).toEqual([
      '~ info training/memory training.bytes',
      '~ info training/operations training.flops',
    ]);
    expect(lines(name, { b: { ...COST, bytes: 1100 } })).toEqual([
      '~ dangerous training/memory training.bytes',
    ]);
  });

  test('beyond the limit is breaking where it fitted before, with what fits', () => {
    const limit = { limit: 1050, fits: 2 };
    const { findings } = compared(name, { ...limit, b: { ...COST, bytes: 1060 } });
    const found = findings.find(({ rule }) => rule === 'training/limit')!;
    expect([found.severity, found.message]).toEqual([
      'breaking',
      'a step of 4 samples takes 1,060 bytes where the limit is 1,050, with every block computed again that helps; 2 samples at once fit',
    ]);
    const before = { ...COST, bytes: 1055 };
    expect(lines(name, { ...limit, a: before, b: before })).toEqual(['~ info training/limit training.bytes']);
    expect(lines(name, limit)).toEqual([]);
  });
});
