import { expect, test } from 'vitest';
import { shrink } from '../../../runtime/image/shrink.ts';

test('each value is the mean of a square, channel by channel', () => {
  const data = Float32Array.from([1, 3, 5, 7, 1, 3, 5, 7, 0, 0, 0, 0, 0, 8, 0, 0]);
  expect(shrink({ shape: [2, 2, 4], data }, 2)).toEqual({
    shape: [2, 1, 2],
    data: Float32Array.from([2, 6, 2, 0]),
  });
});

test.each([
  [[1, 6], 3],
  [[3, 4, 4, 4], 2],
])('a constant stays what it is, in %o by %i', (shape, factor) => {
  const data = new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(0.5);
  const small = shrink({ shape, data }, factor);
  expect(small.shape.slice(1)).toEqual(shape.slice(1).map((size) => size / factor));
  expect(small.data.every((value) => value === 0.5)).toBe(true);
});
