// avg_pool, upsample_nearest and upsample_linear.

import { describe, expect, it } from 'vitest';
import { avg_pool } from '../../../compiler/ops/avg_pool.ts';
import { upsample_linear } from '../../../compiler/ops/upsample_linear.ts';
import { upsample_nearest } from '../../../compiler/ops/upsample_nearest.ts';
import { at, indices, noise, relativeL2, tensor } from '../../fixtures/values.ts';

describe('avg_pool', () => {
  it('is the mean of each window and drops the rest of an odd size', () => {
    const x = noise([2, 3, 2, 5, 4], 1);
    const y = avg_pool.reference([x], { kernel: [1, 2, 2] });
    expect(y.shape).toEqual([2, 3, 2, 2, 2]);
    for (const [b, c, d, h, w] of indices(y.shape)) {
      const window = [...indices([2, 2])].map(([i, j]) => at(x, [b!, c!, d!, 2 * h! + i!, 2 * w! + j!]));
      expect(at(y, [b!, c!, d!, h!, w!])).toBeCloseTo(window.reduce((a, v) => a + v) / 4, 14);
    }
  });

  it('refuses a kernel larger than x', () => {
    expect(() => avg_pool.infer([{ dtype: 'f32', shape: [1, 3, 1] }], { kernel: [2] })).toThrow(
      /larger than/,
    );
  });
});

describe('upsample_nearest', () => {
  it('repeats each position by the factor of its dimension', () => {
    const y = upsample_nearest.reference([tensor([1, 1, 2, 2], [1, 2, 3, 4])], { factor: [2, 3] });
    expect(y.shape).toEqual([1, 1, 4, 6]);
    expect([...y.data]).toEqual([1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4]);
  });

  it('is undone by avg_pool', () => {
    const x = noise([2, 3, 2, 3, 2], 1);
    const up = upsample_nearest.reference([x], { factor: [1, 2, 2] });
    expect(relativeL2(avg_pool.reference([up], { kernel: [1, 2, 2] }).data, x.data)).toBeLessThan(1e-15);
  });

  it('refuses fractions', () => {
    expect(() => upsample_nearest.infer([{ dtype: 'f32', shape: [1, 3, 4] }], { factor: [1.5] })).toThrow(
      /factor/,
    );
  });
});

// Expected values: torch.nn.functional.interpolate(mode='linear' | 'bilinear', align_corners=False).
describe('upsample_linear', () => {
  const linear = (x: readonly number[], size: number) => [
    ...upsample_linear.reference([tensor([1, 1, x.length], x)], { size: [size] }).data,
  ];

  it('holds the edges and does not align corners', () => {
    expect(linear([1, 2], 4)).toEqual([1, 1.25, 1.75, 2]);
    expect(linear([0, 3, 6], 6)).toEqual([0, 0.75, 2.25, 3.75, 5.25, 6]);
  });

  it('takes sizes that are no multiple, smaller ones too', () => {
    const third = linear([0, 1, 2], 4);
    [0, 0.625, 1.375, 2].forEach((v, i) => {
      expect(third[i]).toBeCloseTo(v, 14);
    });
    expect(linear([0, 1, 2, 3], 2)).toEqual([0.5, 2.5]);
    expect(linear([5], 3)).toEqual([5, 5, 5]);
  });

  it('is the product of its dimensions', () => {
    const y = upsample_linear.reference([tensor([1, 1, 2, 2], [1, 2, 3, 4])], { size: [4, 4] });
    const rows = [1, 1.5, 2.5, 3];
    expect([...y.data]).toEqual(rows.flatMap((r) => [r, r + 0.25, r + 0.75, r + 1]));
  });

  it('reproduces a linear function of depth, height and width inside', () => {
    const shape = [1, 1, 3, 4, 5];
    const f = (d: number, h: number, w: number) => 2 * d - 3 * h + 5 * w + 1;
    const x = tensor(
      shape,
      [...indices(shape)].map(([, , d, h, w]) => f(d!, h!, w!)),
    );
    const y = upsample_linear.reference([x], { size: [6, 6, 7] });
    const source = (p: number, to: number, from: number) => ((p + 0.5) * from) / to - 0.5;
    const inside = [...indices([4, 4, 5])].map((p) => p.map((i) => i + 1));
    for (const [d, h, w] of inside) {
      const expected = f(source(d!, 6, 3), source(h!, 6, 4), source(w!, 7, 5));
      expect(at(y, [0, 0, d!, h!, w!])).toBeCloseTo(expected, 12);
    }
  });
});
