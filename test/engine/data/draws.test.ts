// Orders and augmentation as pure functions: any step of a run can be drawn without the steps before it.

import { describe, expect, test } from 'vitest';
import { drawAugment, epochOrder, runOrder } from '../../../engine/data/draws.ts';

describe('the order of an epoch', () => {
  test('is a permutation, another one for every seed and epoch', () => {
    const orders = [
      epochOrder(0, 0, 1000),
      epochOrder(0, 1, 1000),
      epochOrder(1, 0, 1000),
      epochOrder(2 ** 40, 0, 1000),
    ];
    const sorted = Array.from({ length: 1000 }, (_, i) => i);
    for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual(sorted);
    expect(new Set(orders.map((order) => order.join())).size).toBe(4);
  });

  test('stays what it is between versions', () => {
    expect([...epochOrder(7, 3, 10)]).toEqual([7, 8, 1, 0, 9, 4, 5, 3, 6, 2]);
  });

  test('is even: every sample comes to every place equally often', () => {
    const counts = new Float64Array(25);
    const epochs = 20_000;
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const [place, sample] of epochOrder(5, epoch, 5).entries()) counts[place * 5 + sample]!++;
    }
    // five standard deviations
    for (const count of counts)
      expect(Math.abs(count - epochs / 5)).toBeLessThan(5 * Math.sqrt(epochs * 0.16));
  });

  test('a run goes through all samples again and again, from any position', () => {
    const order = runOrder(3, 7);
    const run = Array.from({ length: 21 }, (_, position) => order.at(position));
    for (let epoch = 0; epoch < 3; epoch++) {
      expect(run.slice(epoch * 7, epoch * 7 + 7)).toEqual([...epochOrder(3, epoch, 7)]);
    }
    const fresh = runOrder(3, 7);
    for (const position of [20, 3, 14, 6, 7]) expect(fresh.at(position)).toBe(run[position]);
    // what takes the place of a bad sample is another one of its epoch
    expect(new Set(Array.from({ length: 7 }, (_, further) => fresh.at(10, further))).size).toBe(7);
  });
});

describe('augmentation', () => {
  test('mirrors half of the images, differently in every epoch', () => {
    const flips = Array.from(
      { length: 4000 },
      (_, position) => drawAugment(1, position, { flip: true, crop: 'centre' }).mirrored,
    );
    expect(Math.abs(flips.filter(Boolean).length - 2000)).toBeLessThan(160);
    expect(drawAugment(1, 2 ** 40 + 1, { flip: true, crop: 'centre' })).toEqual(
      drawAugment(1, 2 ** 40 + 1, { flip: true, crop: 'centre' }),
    );
    expect(drawAugment(1, 0, { flip: false, crop: 'centre' })).toEqual({
      mirrored: false,
      crop: { kind: 'centre' },
    });
  });

  test('cuts are spread over size and place', () => {
    const crops = Array.from(
      { length: 1000 },
      (_, position) => drawAugment(9, position, { flip: true, crop: 'random' }).crop,
    );
    for (const key of ['size', 'down', 'right'] as const) {
      const values = crops.map((crop) => (crop.kind === 'random' ? crop[key] : Number.NaN));
      expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...values)).toBeLessThan(1);
      expect(Math.abs(values.reduce((sum, value) => sum + value, 0) / 1000 - 0.5)).toBeLessThan(0.05);
    }
  });
});
