import { describe, expect, it } from 'vitest';
import { window } from '../../../compiler/ops/window.ts';
import { at, indices, noise } from '../../fixtures/values.ts';

describe('window', () => {
  it.each([
    ['channels', [2, 5], [1], [3]],
    ['channels and space, on both sides', [2, 3, 4], [-1, 2], [5, 4]],
    ['two dimensions', [1, 3, 4, 5], [0, -2, 1], [2, 7, 3]],
    ['three dimensions', [2, 2, 3, 4, 2], [1, 1, -1, 0], [1, 2, 6, 3]],
  ] as const)('reads %s from `start` on, and zeros outside', (_, shape, start, size) => {
    const x = noise(shape, 1);
    const y = window.reference([x], { start, size });
    expect(y.shape).toEqual([shape[0], ...size]);
    for (const [b, ...place] of indices(y.shape)) {
      const from = place.map((i, d) => i + start[d]!);
      expect(at(y, [b!, ...place])).toBe(at(x, [b!, ...from]));
    }
  });

  it('refuses a window of another rank', () => {
    expect(() => window.infer([{ dtype: 'f32', shape: [1, 2, 3] }], { start: [0], size: [2] })).toThrow(
      'start [0] and size [2] are no window on f32[1,2,3]',
    );
  });
});
