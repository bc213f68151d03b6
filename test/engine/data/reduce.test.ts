// What a model sees of a picture: sizes that are not square, cuts, mirrors, channels.

import { expect, test } from 'vitest';
import type { Raster } from '../../../engine/data/raster.ts';
import { type Crop, reduce, type View } from '../../../engine/data/reduce.ts';

/** A ramp from left to right in red, from top to bottom in green. */
function ramp(width: number, height: number): Raster {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    data[3 * i] = Math.round((255 * (i % width)) / (width - 1));
    data[3 * i + 1] = Math.round((255 * Math.floor(i / width)) / (height - 1));
  }
  return { width, height, colours: 'RGB', data };
}

const view = (height: number, width: number, crop: Crop = { kind: 'centre' }): View => ({
  ...{ channels: 3, height, width, crop, mirrored: false },
});
const plane = (values: Uint8Array, which: number, area: number) =>
  values.subarray(which * area, (which + 1) * area);

test('a picture of the right size is taken as it is', () => {
  const picture = ramp(16, 16);
  expect([...plane(reduce(picture, view(16, 16)), 0, 256)]).toEqual(
    [...picture.data].filter((_, i) => i % 3 === 0),
  );
});

test.each([
  [100, 40, 16, 32],
  [40, 100, 16, 32],
  [33, 31, 8, 24],
  [7, 9, 24, 8],
] as const)('%ix%i covers a model of %ix%i and is cut in the middle', (width, height, tall, wide) => {
  const planes = reduce(ramp(width, height), view(tall, wide));
  expect(planes.length).toBe(3 * tall * wide);
  const red = plane(planes, 0, tall * wide);
  const green = plane(planes, 1, tall * wide);
  // the middle stays the middle, within what an odd pixel shifts
  const middle = (values: Uint8Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(middle(red)).toBeGreaterThan(127 - 255 / Math.min(width, wide));
  expect(middle(red)).toBeLessThan(128 + 255 / Math.min(width, wide));
  expect(middle(green)).toBeGreaterThan(127 - 255 / Math.min(height, tall));
  expect(middle(green)).toBeLessThan(128 + 255 / Math.min(height, tall));
  // proportions stay: the ramps rise at the same rate by pixel of the picture
  const rise = (values: Uint8Array, step: number) =>
    values[(tall >> 1) * wide + (wide >> 1) + step]! - values[(tall >> 1) * wide + (wide >> 1)]!;
  expect(Math.abs(rise(red, 2) * (width - 1) - rise(green, 2 * wide) * (height - 1))).toBeLessThan(
    2 * 2 * 255,
  );
});

test('a random cut shows at least four fifths, and reaches every side', () => {
  const picture = ramp(200, 200);
  const red = (right: number, size: number) =>
    plane(reduce(picture, view(32, 32, { kind: 'random', size, down: 0, right })), 0, 1024);
  const last = 1 - 2 ** -32;
  // the largest: 40 pixels for the whole of which 32 are seen
  expect(red(0, last)[0]).toBeLessThan(5);
  expect(red(last, last)[31]).toBeGreaterThan(250);
  expect(red(0, last)[31]).toBeLessThan(0.83 * 255);
  // the smallest is the whole
  expect(red(0.7, 0)[0]).toBeLessThan(6);
  expect(red(0.7, 0)[31]).toBeGreaterThan(249);
});

test('mirrored is the same from right to left', () => {
  const plain = reduce(ramp(50, 41), view(12, 20));
  const mirrored = reduce(ramp(50, 41), { ...view(12, 20), mirrored: true });
  for (let row = 0; row < 36; row++) {
    expect([...mirrored.subarray(row * 20, row * 20 + 20)]).toEqual(
      [...plain.subarray(row * 20, row * 20 + 20)].reverse(),
    );
  }
});

test('one channel is the luma of the three', () => {
  const picture: Raster = {
    width: 3,
    height: 1,
    colours: 'RGB',
    data: Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255),
  };
  // Pillow: Image.convert('L')
  expect([...reduce(picture, { ...view(1, 3), channels: 1 })]).toEqual([76, 150, 29]);
});
