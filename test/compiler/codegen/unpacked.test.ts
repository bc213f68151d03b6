// What of packed weights no parameter fills, and weights of a step of training that take the same memory in turn.

import { describe, expect, test } from 'vitest';
import { gapsOf } from '../../../compiler/codegen/update/unpacked.ts';
import { compileGraph } from '../../../compiler/compile.ts';
import { memoryTotals } from '../../../compiler/memory/plan.ts';
import { GENERIC, SOFTWARE } from '../../../compiler/target.ts';
import type { WeightPart } from '../../../runtime/bundle.ts';
import { goldenTraining } from '../../training-cases.ts';

const product = {
  ...{ kind: 'product', stored: 'f32', layout: 'rows', param: 'w', transposed: false, taps: 1 },
  ...{ outputs: 16, inputs: 8, tile: 16, chunk: 8, steps: 1, first_step: 0, first_output: 0, offset: 0 },
} as const satisfies WeightPart;
const bias = {
  ...{ kind: 'vector', stored: 'f32', param: 'b', length: 6, row: 6, accumulate: false, offset: 128 },
} as const satisfies WeightPart;

test.each<[string, readonly WeightPart[], number, readonly (readonly [number, number])[]]>([
  ['a product with its bias, filled up to a quad', [product, bias], 136, []],
  ['a product without a bias, whose zeros stand behind it', [product], 144, [[128, 144]]],
  ['outputs that only fill a tile', [{ ...product, outputs: 12 }, bias], 136, [[0, 128]]],
  ['outputs that only fill a quad are packed as zeros', [{ ...product, outputs: 15 }, bias], 136, []],
  [
    'two products that share the steps of a tile',
    [
      { ...product, steps: 2 },
      { ...product, steps: 2, first_step: 1 },
    ],
    256,
    [],
  ],
  [
    'a vector that is added to another one',
    [product, bias, { ...bias, param: 'c', accumulate: true }],
    136,
    [],
  ],
])('%s', (_, parts, length, expected) => {
  const gaps = gapsOf({ parts, length, texture: false });
  expect(gaps.map(({ first, end }) => [first, end])).toEqual(expected);
});

describe.each([GENERIC, SOFTWARE])('a step of training on $name', (target) => {
  const { graph, batch } = goldenTraining('hybrid');
  const compile = (accumulates: boolean) =>
    compileGraph(graph, { target, batch, training: { averages: 1, accumulates } });
  const packsProducts = ({ bundle: { manifest } }: ReturnType<typeof compile>) => {
    const { dispatches } = manifest.passes[0]!;
    const first = manifest.dispatches.slice(0, dispatches);
    return first.some(({ kernel }) => manifest.kernels[kernel]!.file.startsWith('pack_product'));
  };

  test('packs products just before they are read, in memory that they take in turn', () => {
    const whole = compile(false);
    expect(packsProducts(whole)).toBe(true);
    const passing = whole.memory.lifetimes.filter(({ resource }) => resource.kind === 'group_weights');
    expect(passing.every(({ first, last }) => first === last)).toBe(true);
    const bytes = passing.reduce((sum, one) => sum + one.bytes, 0);
    const { weights } = whole.bundle.manifest.memory;
    expect(weights).toBeLessThan(bytes / 20);
    const apart = compileGraph(graph, { target, batch, gradients: true }).memory;
    const gradients = whole.memory.lifetimes.filter(({ first }) => first === -1);
    const kept = gradients.reduce((sum, one) => sum + one.bytes, 0);
    expect(memoryTotals(whole.memory).shared - kept).toBeLessThan(memoryTotals(apart).shared + bytes / 2);
  });

  test('of microbatches they stay from one to the next', () => {
    expect(packsProducts(compile(true))).toBe(false);
  });
});
