import { describe, expect, it } from 'vitest';
import { group_norm } from '../../../compiler/ops/group_norm.ts';
import { noise, relativeL2, tensor } from '../../fixtures/values.ts';

const ones = (n: number) => tensor([n], Array<number>(n).fill(1));
const zeros = (n: number) => tensor([n], Array<number>(n).fill(0));

describe('group_norm', () => {
  it('gives every group of every sample mean 0 and biased variance v / (v + eps)', () => {
    const x = noise([2, 6, 5, 3], 1);
    const y = group_norm.reference([x, ones(6), zeros(6)], { groups: 3, eps: 0.5 });
    const size = 2 * 15;
    for (let start = 0; start < x.data.length; start += size) {
      const moments = (data: Float64Array) => {
        const part = data.subarray(start, start + size);
        const mean = part.reduce((a, b) => a + b) / size;
        return { mean, variance: part.reduce((a, b) => a + b * b, 0) / size - mean * mean };
      };
      const { variance } = moments(x.data);
      expect(moments(y.data).mean).toBeCloseTo(0, 12);
      expect(moments(y.data).variance).toBeCloseTo(variance / (variance + 0.5), 12);
    }
  });

  it('is affine per channel', () => {
    const x = noise([2, 4, 3], 1);
    const [weight, bias] = [noise([4], 2), noise([4], 3)];
    const plain = group_norm.reference([x, ones(4), zeros(4)], { groups: 2, eps: 1e-5 });
    const y = group_norm.reference([x, weight, bias], { groups: 2, eps: 1e-5 });
    const expected = plain.data.map((v, i) => {
      const c = Math.floor(i / 3) % 4;
      return v * weight.data[c]! + bias.data[c]!;
    });
    expect(relativeL2(y.data, expected)).toBeLessThan(1e-14);
  });

  it('keeps its digits where the mean is far larger than the deviation', () => {
    const x = noise([1, 4, 8], 1);
    const shifted = { shape: x.shape, data: x.data.map((v) => v + 1e6) };
    const attrs = { groups: 2, eps: 1e-5 };
    const y = group_norm.reference([shifted, ones(4), zeros(4)], attrs);
    expect(relativeL2(y.data, group_norm.reference([x, ones(4), zeros(4)], attrs).data)).toBeLessThan(1e-9);
  });

  it('maps a constant to the bias', () => {
    const y = group_norm.reference([tensor([1, 2, 2], [7, 7, 7, 7]), noise([2], 1), tensor([2], [3, 4])], {
      groups: 1,
      eps: 1e-5,
    });
    expect([...y.data]).toEqual([3, 3, 4, 4]);
  });

  it('refuses channels that do not divide into groups', () => {
    const f32 = (...shape: number[]) => ({ dtype: 'f32', shape }) as const;
    expect(() => group_norm.infer([f32(1, 6, 4), f32(6), f32(6)], { groups: 4, eps: 1e-5 })).toThrow(
      'group_norm: 6 channels do not divide into 4 groups',
    );
    expect(() => group_norm.infer([f32(1, 6, 4), f32(5), f32(6)], { groups: 3, eps: 1e-5 })).toThrow(
      /weight must be \[6\]/,
    );
    expect(() => group_norm.infer([f32(1, 6, 4), f32(6), f32(6)], { groups: 3, eps: 0 })).toThrow(/eps/);
  });
});
