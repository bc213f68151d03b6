// concat, slice, param_concat, reshape.

import { describe, expect, it } from 'vitest';
import { concat } from '../../../compiler/ops/concat.ts';
import type { TensorType } from '../../../compiler/ops/op.ts';
import { param_concat } from '../../../compiler/ops/param_concat.ts';
import { reshape } from '../../../compiler/ops/reshape.ts';
import { slice } from '../../../compiler/ops/slice.ts';
import { noise, tensor } from '../../fixtures/values.ts';

const f32 = (...shape: number[]): TensorType => ({ dtype: 'f32', shape });

describe('concat and slice', () => {
  it('concat joins the channels of each sample', () => {
    const y = concat.reference(
      [tensor([2, 1, 2], [1, 2, 3, 4]), tensor([2, 2, 2], [5, 6, 7, 8, 9, 10, 11, 12])],
      {},
    );
    expect(y.shape).toEqual([2, 3, 2]);
    expect([...y.data]).toEqual([1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12]);
  });

  it('slice takes each part back', () => {
    const [a, b] = [noise([2, 3, 2, 2], 1), noise([2, 5, 2, 2], 2)];
    const joined = concat.reference([a, b], {});
    expect(slice.reference([joined], { start: 0, end: 3 })).toEqual(a);
    expect(slice.reference([joined], { start: 3, end: 8 })).toEqual(b);
  });

  it('slice works on vectors of a sample', () => {
    expect(slice.reference([tensor([2, 3], [1, 2, 3, 4, 5, 6])], { start: 1, end: 3 })).toEqual(
      tensor([2, 2], [2, 3, 5, 6]),
    );
  });

  it('refuse what does not fit', () => {
    expect(() => concat.infer([f32(2, 3, 4), f32(2, 3, 5)], {})).toThrow(/differ in more than channels/);
    expect(() => concat.infer([f32(2, 3, 4), f32(1, 3, 4)], {})).toThrow(/differ in more than channels/);
    expect(() => slice.infer([f32(2, 3, 4)], { start: 1, end: 4 })).toThrow(
      /channels 1 … 4 are not in f32\[2,3,4\]/,
    );
    expect(() => slice.infer([f32(2, 3, 4)], { start: 2, end: 2 })).toThrow(/not in/);
  });
});

describe('param_concat', () => {
  it('joins rows', () => {
    const y = param_concat.reference(
      [tensor([1, 2], [1, 2]), tensor([2, 2], [3, 4, 5, 6]), tensor([1, 2], [7, 8])],
      {},
    );
    expect(y).toEqual(tensor([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]));
    expect(param_concat.infer([f32(1, 2), f32(2, 2), f32(1, 2)], {})).toEqual(f32(4, 2));
  });

  it('refuses rows of another width, and nothing at all', () => {
    expect(() => param_concat.infer([f32(1, 2), f32(1, 3)], {})).toThrow(/more than their first axis/);
    expect(() => param_concat.infer([f32(2), f32(2, 1)], {})).toThrow(/more than their first axis/);
    expect(() => param_concat.infer([], {})).toThrow(/at least one/);
  });
});

describe('reshape', () => {
  it('merges and splits space', () => {
    const x = noise([2, 3, 4, 5], 1);
    expect(reshape.reference([x], { shape: [2, 3, 20] })).toEqual({ shape: [2, 3, 20], data: x.data });
  });

  it('refuses to move elements between channels or samples', () => {
    expect(() => reshape.infer([f32(2, 3, 4)], { shape: [2, 4, 3] })).toThrow(/more than spatial/);
    expect(() => reshape.infer([f32(2, 3, 4)], { shape: [1, 3, 8] })).toThrow(/more than spatial/);
    expect(() => reshape.infer([f32(2, 3, 4)], { shape: [2, 3, 5] })).toThrow(/more than spatial/);
  });
});
