// Activation functions, add, multiply, scale, dropout, channel_add, film, position_add.

import { describe, expect, it } from 'vitest';
import { ACTIVATIONS, type Activation, isActivation } from '../../../compiler/ops/activations.ts';
import { channel_add } from '../../../compiler/ops/channel_add.ts';
import { film } from '../../../compiler/ops/film.ts';
import type { Shape, TensorType } from '../../../compiler/ops/op.ts';
import {
  activation_gradient,
  activations,
  add,
  dropout,
  multiply,
  scale,
} from '../../../compiler/ops/pointwise.ts';
import { position_add } from '../../../compiler/ops/position_add.ts';
import { at, indices, noise, tensor } from '../../fixtures/values.ts';

const f32 = (...shape: number[]): TensorType => ({ dtype: 'f32', shape });
const f16 = (...shape: number[]): TensorType => ({ dtype: 'f16', shape });

/** What each activation function makes of -1000, -1, 0, 1 and 1000, without overflow at either end. */
const VALUES: Readonly<Record<Activation, readonly number[]>> = {
  silu: [0, -0.2689414213699951, 0, 0.7310585786300049, 1000],
  relu: [0, 0, 0, 1, 1000],
  gelu: [0, -0.15865525393145705, 0, 0.8413447460685429, 1000],
  mish: [0, -0.30340146137410895, 0, 0.8650983882673103, 1000],
};

describe.each(Object.keys(ACTIVATIONS).filter(isActivation))('the activation function %s', (name) => {
  it('has its values', () => {
    const y = activations[name].reference([tensor([5], [-1000, -1, 0, 1, 1000])], {});
    for (const [i, value] of VALUES[name].entries()) expect(y.data[i]).toBeCloseTo(value, 15);
    expect(y.data[2]).toBe(VALUES[name][2]);
    expect(y.data[4]).toBe(VALUES[name][4]);
  });
});

describe('relu', () => {
  it('is zero below zero', () => {
    const y = activations.relu.reference([tensor([4], [-Infinity, -2, 3, Infinity])], {});
    expect([...y.data].map((v) => v + 0)).toEqual([0, 0, 3, Infinity]);
  });
});

describe('activation_gradient', () => {
  it.each(['silu', 'relu', 'gelu', 'mish'] as const)('is g times the slope of %s', (of) => {
    const [x, g] = [noise([40], 1), noise([40], 2)];
    const y = activation_gradient.reference([x, g], { of });
    const f = (step: number) => activations[of].reference([{ ...x, data: x.data.map((v) => v + step) }], {});
    const [above, below] = [f(1e-6), f(-1e-6)];
    x.data.forEach((_, i) => {
      expect(y.data[i]).toBeCloseTo(((above.data[i]! - below.data[i]!) / 2e-6) * g.data[i]!, 8);
    });
  });

  it('refuses what is no activation function', () => {
    const attrs = { of: 'sine' } as unknown as { of: 'silu' };
    expect(() => activation_gradient.infer([f32(2), f32(2)], attrs)).toThrow(
      /sine is no activation function/,
    );
  });
});

describe('multiply and scale', () => {
  it('multiply element by element', () => {
    expect([...multiply.reference([tensor([2], [1, 2]), tensor([2], [10, 20])], {}).data]).toEqual([10, 40]);
    expect([...scale.reference([tensor([2], [1, 2])], { factor: -0.5 }).data]).toEqual([-0.5, -1]);
  });
});

describe('dropout', () => {
  it('drops nothing', () => {
    const x = noise([3, 4], 1);
    expect([...dropout.reference([x], { p: 0.9 }).data]).toEqual([...x.data]);
  });
});

describe('add', () => {
  it('adds', () => {
    expect([...add.reference([tensor([2], [1, 2]), tensor([2], [10, 20])], {}).data]).toEqual([11, 22]);
  });

  it('refuses other shapes and other element types', () => {
    expect(() => add.infer([f32(2, 3), f32(3, 2)], {})).toThrow('f32[2,3] and f32[3,2]');
    expect(() => add.infer([f32(2, 3), f16(2, 3)], {})).toThrow('f32[2,3] and f16[2,3]');
  });
});

describe('conditioning', () => {
  const shape: Shape = [2, 3, 2, 2];
  const x = noise(shape, 1);

  it('channel_add repeats e over space', () => {
    const e = noise([2, 3], 2);
    const y = channel_add.reference([x, e], {});
    for (const [b, c, ...p] of indices(shape)) {
      expect(at(y, [b!, c!, ...p])).toBe(at(x, [b!, c!, ...p]) + at(e, [b!, c!]));
    }
  });

  it('film scales by 1 + the first half of e and shifts by the second', () => {
    const e = noise([2, 6], 2);
    const y = film.reference([x, e], {});
    for (const [b, c, ...p] of indices(shape)) {
      const expected = at(x, [b!, c!, ...p]) * (1 + at(e, [b!, c!])) + at(e, [b!, c! + 3]);
      expect(at(y, [b!, c!, ...p])).toBeCloseTo(expected, 14);
    }
  });

  it('position_add repeats p over samples', () => {
    const p = noise([3, 2, 2], 2);
    const y = position_add.reference([x, p], {});
    for (const [b, ...i] of indices(shape)) expect(at(y, [b!, ...i])).toBe(at(x, [b!, ...i]) + at(p, i));
    expect(() => position_add.infer([f32(2, 3, 4), f32(4, 3)], {})).toThrow(/p must be \[3,4\]/);
  });

  it('takes a float32 embedding to a float16 activation', () => {
    expect(film.infer([f16(2, 3, 4), f32(2, 6)], {})).toEqual(f16(2, 3, 4));
    expect(channel_add.infer([f16(2, 3, 4), f32(2, 3)], {})).toEqual(f16(2, 3, 4));
  });

  it('refuses embeddings of another width', () => {
    expect(() => film.infer([f32(2, 3, 4), f32(2, 3)], {})).toThrow(/must be \[2,6\], got f32\[2,3\]/);
    expect(() => channel_add.infer([f32(2, 3, 4), f32(1, 3)], {})).toThrow(/must be \[2,3\], got f32\[1,3\]/);
    expect(() => channel_add.infer([f32(2, 3), f32(2, 3)], {})).toThrow(/1 to 3 spatial sizes/);
  });
});
