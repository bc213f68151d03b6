import { describe, expect, it } from 'vitest';
import { cross_entropy, cross_entropy_gradient, top_k } from '../../../compiler/ops/cross_entropy.ts';
import { noise, tensor } from '../../fixtures/values.ts';

describe('cross_entropy', () => {
  it('is minus the logarithm of the softmax at the label', () => {
    const found = cross_entropy.reference([tensor([2, 2], [0, 0, 1, 3]), tensor([2], [0, 1])], {});
    expect(found.data[0]).toBeCloseTo(Math.log(2), 12);
    expect(found.data[1]).toBeCloseTo(Math.log(1 + Math.exp(-2)), 12);
  });

  it('survives logits whose exponential overflows', () => {
    const found = cross_entropy.reference([tensor([1, 2], [1e4, 0]), tensor([1], [1])], {});
    expect([...found.data]).toEqual([1e4]);
  });

  it('has the slope that its gradient says, times the share of the sample', () => {
    const [logits, labels] = [noise([2, 5], 1), tensor([2], [3, 0])];
    const share = tensor([2], [0.5, 2]);
    const value = (i: number, step: number) => {
      const data = logits.data.map((v, k) => (k === i ? v + step : v));
      const losses = cross_entropy.reference([{ ...logits, data }, labels], {}).data;
      return losses[0]! * 0.5 + losses[1]! * 2;
    };
    const found = cross_entropy_gradient.reference([logits, labels, share], {});
    found.data.forEach((g, i) => {
      expect(g).toBeCloseTo((value(i, 1e-5) - value(i, -1e-5)) / 2e-5, 9);
    });
  });

  it('refuses labels that are no class, and operands that are no logits and labels', () => {
    const logits = noise([1, 2], 1);
    expect(() => cross_entropy.reference([logits, tensor([1], [2])], {})).toThrow(/label 2 of sample 0/);
    const float = { dtype: 'f32', shape: [1] } as const;
    expect(() => cross_entropy.infer([{ dtype: 'f32', shape: [1, 2] }, float], {})).toThrow(
      'got f32[1,2] and f32[1]',
    );
  });
});

describe('top_k', () => {
  const logits = tensor([4, 3], [3, 2, 1, 3, 2, 1, 3, 2, 1, 2, 2, 0]);
  const hits = (k: number) => [...top_k.reference([logits, tensor([4], [0, 1, 2, 1])], { k }).data];

  it('counts a label whose logit fewer than k are larger than', () => {
    expect(hits(1)).toEqual([1, 0, 0, 1]);
    expect(hits(2)).toEqual([1, 1, 0, 1]);
    expect(hits(5)).toEqual([1, 1, 1, 1]);
  });
});
