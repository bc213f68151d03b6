// timestep_embedding, linear, embedding: the time path.

import { describe, expect, it } from 'vitest';
import { embedding } from '../../../compiler/ops/embedding.ts';
import { linear } from '../../../compiler/ops/linear.ts';
import type { TensorType } from '../../../compiler/ops/op.ts';
import { timestep_embedding } from '../../../compiler/ops/timestep_embedding.ts';
import { tensor } from '../../fixtures/values.ts';

const f32 = (...shape: number[]): TensorType => ({ dtype: 'f32', shape });

const usual = { order: 'cos_sin', shift: 0 } as const;

describe('timestep_embedding', () => {
  it('is cosines, then sines, of frequencies from 1 down to max_period^-(h-1)/h', () => {
    const y = timestep_embedding.reference([tensor([2], [0, 10.5])], { dim: 4, max_period: 100, ...usual });
    expect(y.shape).toEqual([2, 4]);
    // exp(-ln(100) / 2) in steps of float32 falls one unit short of 0.1
    const slow = Math.fround(10.5 * 0.09999999403953552);
    const expected = [1, 1, 0, 0, Math.cos(10.5), Math.cos(slow), Math.sin(10.5), Math.sin(slow)];
    expect([...y.data]).toEqual(expected.map(Math.fround));
  });

  it('has the sines first where the order says so', () => {
    const [t, attrs] = [tensor([1], [7]), { dim: 5, max_period: 100, shift: 0 }];
    const [cosines, sines] = [
      timestep_embedding.reference([t], { ...attrs, order: 'cos_sin' }).data,
      timestep_embedding.reference([t], { ...attrs, order: 'sin_cos' }).data,
    ];
    expect([...sines]).toEqual([cosines[2], cosines[3], cosines[0], cosines[1], 0]);
  });

  it('ends at max_period where the shift is 1', () => {
    const attrs = { dim: 8, max_period: 100, order: 'cos_sin', shift: 1 } as const;
    const y = timestep_embedding.reference([tensor([1], [1])], attrs);
    expect(y.data[3]).toBeCloseTo(Math.cos(0.01), 7);
    expect(() => timestep_embedding.infer([f32(1)], { ...attrs, shift: 4 })).toThrow(
      /shift 4 below half of dim 8/,
    );
  });

  it('fills an odd width with a zero', () => {
    const y = timestep_embedding.reference([tensor([2], [3, 4])], { dim: 5, max_period: 10000, ...usual });
    expect([y.data[4], y.data[9]]).toEqual([0, 0]);
    expect(y.data[7]).toBe(Math.fround(Math.sin(4)));
    expect(timestep_embedding.reference([tensor([1], [3])], { dim: 1, max_period: 10000, ...usual })).toEqual(
      tensor([1, 1], [0]),
    );
  });

  it('refuses anything but a vector of timesteps', () => {
    expect(() => timestep_embedding.infer([f32(1, 1)], { dim: 4, max_period: 100, ...usual })).toThrow(
      /must be \[batch\]/,
    );
    expect(() => timestep_embedding.infer([f32(1)], { dim: 0, max_period: 100, ...usual })).toThrow(/dim 0/);
  });
});

describe('linear', () => {
  it('is x · weightᵀ + bias', () => {
    const [x, weight, bias] = [
      tensor([2, 2], [1, 2, 3, 4]),
      tensor([3, 2], [1, 0, 0, 1, 1, 1]),
      tensor([3], [10, 20, 30]),
    ];
    expect(linear.reference([x, weight, bias], {})).toEqual(tensor([2, 3], [11, 22, 33, 13, 24, 37]));
  });

  it('counts B · N · K', () => {
    const inputs = [f32(4, 32), f32(128, 32), f32(128)];
    expect(linear.infer(inputs, {})).toEqual(f32(4, 128));
    expect(linear.macs(inputs, {})).toEqual({ conv: 0, linear: 4 * 128 * 32, attention: 0 });
  });

  it('refuses operands that do not fit', () => {
    expect(() => linear.infer([f32(4, 32), f32(128, 31), f32(128)], {})).toThrow(/weight must be \[128,32\]/);
    expect(() => linear.infer([f32(4, 32), f32(128, 32), f32(127)], {})).toThrow(/bias must be \[128\]/);
    expect(() => linear.infer([f32(4, 32, 1), f32(128, 32), f32(128)], {})).toThrow(/\[batch, features\]/);
  });
});

describe('embedding', () => {
  const table = tensor([3, 2], [1, 2, 3, 4, 5, 6]);

  it('takes rows by label', () => {
    expect(embedding.reference([table, tensor([3], [2, 0, 2])], {})).toEqual(
      tensor([3, 2], [5, 6, 1, 2, 5, 6]),
    );
  });

  it('refuses labels that are no row, and labels of a float type', () => {
    for (const label of [3, -1, 0.5]) {
      expect(() => embedding.reference([table, tensor([1], [label])], {})).toThrow(
        `label ${label} of sample 0`,
      );
    }
    expect(() => embedding.infer([f32(3, 2), f32(1)], {})).toThrow(/u32 labels/);
  });
});
