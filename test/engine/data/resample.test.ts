// Pillow's resize: values that Pillow 9.4 gives, and what must hold of any filter.

import { describe, expect, test } from 'vitest';
import { BANDS, type Colours, type Raster } from '../../../engine/data/raster.ts';
import { resize } from '../../../engine/data/resample.ts';

function raster(width: number, height: number, colours: Colours, value: (i: number) => number): Raster {
  return {
    width,
    height,
    colours,
    data: Uint8Array.from({ length: width * height * BANDS[colours] }, (_, i) => value(i)),
  };
}

const noisy = (i: number) => (i * 7919 + ((i * i) % 251) * 31) % 256;

describe('resize', () => {
  // Image.frombytes('L', (5, 3), bytes((i * 7919 + i * i % 251 * 31) % 256 …)).resize(…)
  test.each([
    ['box', 2, 1, [129, 145]],
    ['bicubic', 3, 2, [76, 115, 143, 191, 166, 129]],
    [
      'bicubic',
      7,
      5,
      [
        0, 0, 14, 88, 211, 225, 178, 64, 82, 96, 99, 151, 151, 122, 174, 224, 222, 120, 68, 51, 54, 138, 210,
        235, 150, 116, 125, 149, 102, 184, 228, 167, 157, 185, 221,
      ],
    ],
  ] as const)('%s to %ix%i as Pillow', (filter, width, height, values) => {
    expect([...resize(raster(5, 3, 'L', noisy), width, height, filter).data]).toEqual(values);
  });

  test('colours with alpha are filtered premultiplied: what is transparent does not bleed', () => {
    // opaque red beside transparent green
    const picture = raster(2, 1, 'RGBA', (i) => [255, 0, 0, 255, 0, 255, 0, 0][i]!);
    expect([...resize(picture, 1, 1, 'box').data]).toEqual([255, 0, 0, 128]);
  });

  test.each(['L', 'LA', 'RGB', 'RGBA', 'CMYK'] as const)(
    'a window of %s is the same part of the whole',
    (colours) => {
      const picture = raster(37, 23, colours, noisy);
      for (const filter of ['box', 'bicubic'] as const) {
        for (const [width, height] of [
          [19, 11],
          [60, 41],
          [37, 50],
          [11, 23],
          [37, 23],
        ] as const) {
          const whole = resize(picture, width, height, filter);
          const window = { left: 3, top: 5, width: 7, height: 6 };
          const part = resize(picture, width, height, filter, window);
          const bands = BANDS[colours];
          const rows = Array.from({ length: 6 }, (_, y) => {
            const at = ((5 + y) * width + 3) * bands;
            return [...whole.data.subarray(at, at + 7 * bands)];
          });
          expect([...part.data]).toEqual(rows.flat());
        }
      }
    },
  );

  test.each(['L', 'LA', 'RGB', 'CMYK'] as const)(
    'halving %s in one pass is the two passes of Pillow',
    (colours) => {
      const picture = raster(24, 16, colours, noisy);
      // a window keeps the general way
      const left = resize(picture, 12, 8, 'box', { left: 0, top: 0, width: 6, height: 8 });
      const right = resize(picture, 12, 8, 'box', { left: 6, top: 0, width: 6, height: 8 });
      const half = 6 * BANDS[colours];
      const rows = Array.from({ length: 8 }, (_, y) =>
        [left, right].flatMap(({ data }) => [...data.subarray(y * half, (y + 1) * half)]),
      );
      expect([...resize(picture, 12, 8, 'box').data]).toEqual(rows.flat());
    },
  );

  test('what is of one colour stays so', () => {
    const picture = raster(50, 30, 'RGB', (i) => [10, 200, 255][i % 3]!);
    const result = resize(picture, 13, 70, 'bicubic');
    expect([...result.data]).toEqual(Array.from({ length: 13 * 70 * 3 }, (_, i) => [10, 200, 255][i % 3]!));
  });
});
