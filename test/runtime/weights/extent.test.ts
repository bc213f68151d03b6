// Runs of packed weights: disjoint parts are packed apart, parts that share floats or rows together.

import { expect, it } from 'vitest';
import type { WeightPart } from '../../../runtime/bundle.ts';
import { extentOf, runsOf, stretchesOf } from '../../../runtime/weights/extent.ts';

const vector = (param: string, offset: number, length: number): WeightPart => ({
  ...{ kind: 'vector', stored: 'f32', param, length, row: length, accumulate: false, offset },
});
const linear = (param: string, first_output: number, outputs: number): WeightPart => ({
  ...{ kind: 'linear', param, outputs, inputs: 8, first_output, offset: 100 },
});
const names = (parts: readonly WeightPart[]) => parts.map(({ param }) => param).join();

it('knows where a part lies', () => {
  expect(extentOf(vector('a', 4, 6))).toEqual({ first: 4, end: 12, unit: 4 });
  expect(extentOf(linear('a', 64, 65))).toEqual({
    ...{ first: 100 + 512, end: 100 + 3 * 512, unit: 512 },
  });
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

it('keeps together what shares a texel', () => {
  const runs = runsOf(
    [linear('a', 0, 64), vector('b', 612, 4), vector('c', 616, 3), vector('d', 619, 3)],
    2000,
  );
  expect(runs.map(({ parts }) => names(parts))).toEqual(['a', 'b', 'c,d']);
});

const cuts = (parts: readonly WeightPart[], end: number, most: number) =>
  stretchesOf({ first: 0, end, parts }, most).map((stretch) => [stretch.first, stretch.end]);

it('cuts weights behind whole units, in the longest stretches that are allowed', () => {
  expect(cuts([linear('a', 0, 256)], 2148, 1200)).toEqual([
    [0, 1124],
    [1124, 2148],
  ]);
  expect(cuts([linear('a', 0, 256)], 2148, 100)).toEqual([
    [0, 100],
    [100, 612],
    [612, 1124],
    [1124, 1636],
    [1636, 2148],
  ]);
  expect(cuts([vector('a', 0, 22)], 24, 10)).toEqual([
    [0, 8],
    [8, 16],
    [16, 24],
  ]);
});

it('cuts where all parts of a run allow it', () => {
  // the units of the second end 256 words behind those of the first
  const across = { ...linear('b', 0, 64), offset: 356 };
  expect(cuts([linear('a', 0, 256), across], 2148, 1200)).toEqual([
    [0, 1124],
    [1124, 2148],
  ]);
  expect(cuts([linear('a', 0, 256), across], 2148, 600)).toEqual([
    [0, 100],
    [100, 1124],
    [1124, 1636],
    [1636, 2148],
  ]);
});
