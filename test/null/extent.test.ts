// Runs of packed weights: disjoint parts are packed apart, parts that share floats or rows together.

import { expect, it } from 'vitest';
import type { WeightPart } from '../../runtime/bundle.ts';
import { extentOf, runsOf } from '../../runtime/weights/extent.ts';

const vector = (param: string, offset: number, length: number): WeightPart => ({
  ...{ kind: 'vector', half: false, param, length, row: length, accumulate: false, offset },
});
const linear = (param: string, first_output: number, outputs: number): WeightPart => ({
  ...{ kind: 'linear', param, outputs, inputs: 8, first_output, offset: 100 },
});
const names = (parts: readonly WeightPart[]) => parts.map(({ param }) => param).join();

it('knows where a part lies', () => {
  expect(extentOf(vector('a', 4, 6))).toEqual({ first: 4, end: 12 });
  expect(extentOf(linear('a', 64, 65))).toEqual({ first: 100 + 512, end: 100 + 3 * 512 });
});

it('keeps disjoint parts apart, whatever their order, and leaves no gap', () => {
  const runs = runsOf([vector('b', 16, 8), vector('a', 0, 8)], 32);
  expect(runs.map(({ first, end, parts }) => [first, end, names(parts)])).toEqual([
    [0, 16, 'a'],
    [16, 32, 'b'],
  ]);
});

it('keeps together what shares floats, in the given order', () => {
  const runs = runsOf(
    [vector('sum', 0, 8), linear('a', 0, 65), linear('b', 65, 63), vector('too', 4, 4)],
    2000,
  );
  expect(runs.map(({ parts }) => names(parts))).toEqual(['sum,too', 'a,b']);
});
