import { expect, test } from 'vitest';
import { median, relativeL2, sum } from '../../engine/statistics.ts';

test('the median of an odd number is the middle one, of an even number the mean of two', () => {
  expect(median([9, 1, 10])).toBe(9);
  expect(median([4, 1, 100, 2])).toBe(3);
  expect(() => median([])).toThrow('the median of nothing');
});

test('the sum', () => expect([sum([]), sum([1, 2, 4])]).toEqual([0, 7]));

test('relative L2 is that of the difference over that of what is expected', () => {
  expect(relativeL2([3, 4], [3, 4])).toBe(0);
  expect(relativeL2([0, 0], [3, 4])).toBe(1);
  expect(relativeL2([3, 5], [3, 4])).toBeCloseTo(0.2, 12);
  expect(relativeL2([0], [0])).toBe(0);
  expect(relativeL2([1], [0])).toBe(Number.POSITIVE_INFINITY);
  expect(relativeL2([Number.NaN], [1])).toBe(Number.POSITIVE_INFINITY);
  expect(() => relativeL2([1, 2], [1])).toThrow('2 values against 1');
});
