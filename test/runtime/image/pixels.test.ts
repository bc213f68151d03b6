import { describe, expect, test } from 'vitest';
import { dequantize, fromPixels, quantize, toPixels } from '../../../runtime/image/pixels.ts';

describe('rounding', () => {
  test.each([
    [-1, 0],
    [1, 255],
    [0, 127],
    [-5, 0],
    [5, 255],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 255],
    [Number.NEGATIVE_INFINITY, 0],
    // Cut, not rounded to nearest: 2.99 · 127.5 / 127.5 - 1 is still 2.
    [2.99 / 127.5 - 1, 2],
    [3.01 / 127.5 - 1, 3],
  ])('%d is %d', (x, byte) => {
    expect(quantize(x)).toBe(byte);
  });

  test('0 and 255 are the ends of the range, and a byte comes back within one', () => {
    expect([dequantize(0), dequantize(255)]).toEqual([-1, 1]);
    for (let byte = 0; byte < 256; byte++) {
      expect(dequantize(byte)).toBe(Math.fround(Math.fround(byte / 127.5) - 1));
      expect(byte - quantize(dequantize(byte))).toBeOneOf([0, 1]);
    }
  });
});

/** A sample whose values quantize to 0, 1, 2, …, at most 255. */
function counting(shape: readonly number[]) {
  const count = shape.reduce((n, d) => n * d, 1);
  return { shape, data: Float32Array.from({ length: count }, (_, i) => (i + 0.5) / 127.5 - 1) };
}

describe('samples as pictures', () => {
  test('one channel is grey, three are colour by pixel', () => {
    expect(toPixels(counting([1, 2, 3]))).toEqual({
      width: 3,
      height: 2,
      channels: 1,
      data: Uint8Array.of(0, 1, 2, 3, 4, 5),
    });
    expect(toPixels(counting([3, 1, 2]))).toEqual({
      width: 2,
      height: 1,
      channels: 3,
      data: Uint8Array.of(0, 2, 4, 1, 3, 5),
    });
  });

  test('other channels, and slices of depth, stand side by side with a line between', () => {
    const expected = {
      width: 5,
      height: 2,
      channels: 1,
      data: Uint8Array.of(0, 1, 128, 4, 5, 2, 3, 128, 6, 7),
    };
    expect(toPixels(counting([2, 2, 2]))).toEqual(expected);
    expect(toPixels(counting([1, 2, 2, 2]))).toEqual(expected);
  });

  test('colour slices keep their colours', () => {
    const { width, channels, data } = toPixels(counting([3, 2, 1, 1]));
    expect([width, channels]).toEqual([3, 3]);
    expect([...data]).toEqual([0, 2, 4, 128, 128, 128, 1, 3, 5]);
  });

  test('one dimension is a curve for each channel, high values high', () => {
    const { width, height, data } = toPixels({
      shape: [2, 256],
      data: new Float32Array(512).fill(1).fill(-1, 256),
    });
    expect([width, height]).toEqual([256, 128]);
    const dark = [...data.keys()].filter((at) => data[at] === 0).map((at) => Math.floor(at / width));
    expect([...new Set(dark)]).toEqual([0, 127]);
  });

  test('a shape that is no picture is our own bug', () => {
    expect(() => toPixels(counting([4]))).toThrow('internal: a sample of shape [4] is no picture');
  });
});

describe('pictures as inputs', () => {
  test('channels are planes in [-1, 1]', () => {
    const colour = { width: 2, height: 1, channels: 3, data: Uint8Array.of(0, 255, 0, 255, 0, 255) } as const;
    expect(fromPixels(colour, 3)).toEqual({ shape: [3, 1, 2], data: Float32Array.of(-1, 1, 1, -1, -1, 1) });
  });

  test('grey serves as colour, and colour as grey only where it is grey', () => {
    const grey = { width: 1, height: 1, channels: 1, data: Uint8Array.of(255) } as const;
    const alike = { width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 255, 255) } as const;
    const red = { width: 1, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0) } as const;
    expect(fromPixels(grey, 3)?.data).toEqual(Float32Array.of(1, 1, 1));
    expect(fromPixels(alike, 1)?.data).toEqual(Float32Array.of(1));
    expect(fromPixels(red, 1)).toBeNull();
  });
});
