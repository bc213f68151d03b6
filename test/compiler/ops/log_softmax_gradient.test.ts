import { describe, expect, it } from 'vitest';
import { log_softmax_gradient } from '../../../compiler/ops/log_softmax_gradient.ts';
import { noise, tensor } from '../../fixtures/values.ts';

describe('log_softmax_gradient', () => {
  it('is the slope of Σ log softmax(logits)[y]', () => {
    const logits = noise([2, 5], 1);
    const labels = tensor([2], [3, 0]);
    const value = (i: number, step: number) => {
      const moved = logits.data.map((v, k) => (k === i ? v + step : v));
      return [0, 1].reduce((sum, b) => {
        const row = moved.subarray(b * 5, b * 5 + 5);
        const total = row.reduce((all, v) => all + Math.exp(v), 0);
        return sum + row[labels.data[b]!]! - Math.log(total);
      }, 0);
    };
    const found = log_softmax_gradient.reference([logits, labels], {});
    found.data.forEach((g, i) => {
      expect(g).toBeCloseTo((value(i, 1e-5) - value(i, -1e-5)) / 2e-5, 9);
    });
  });

  it('survives logits whose exponential overflows', () => {
    const found = log_softmax_gradient.reference([tensor([1, 2], [1e4, 0]), tensor([1], [1])], {});
    expect([...found.data]).toEqual([-1, 1]);
  });

  it('refuses labels that are no class, and operands that are no logits and labels', () => {
    const logits = noise([1, 2], 1);
    expect(() => log_softmax_gradient.reference([logits, tensor([1], [2])], {})).toThrow(
      /label 2 of sample 0/,
    );
    const float = { dtype: 'f32', shape: [1] } as const;
    expect(() => log_softmax_gradient.infer([{ dtype: 'f32', shape: [1, 2] }, float], {})).toThrow(
      'got f32[1,2] and f32[1]',
    );
  });
});
