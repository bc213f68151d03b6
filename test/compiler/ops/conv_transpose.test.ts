import { describe, expect, it } from 'vitest';
import { conv } from '../../../compiler/ops/conv.ts';
import { conv_transpose } from '../../../compiler/ops/conv_transpose.ts';
import type { Shape, TensorType } from '../../../compiler/ops/op.ts';
import { dot, noise, tensor } from '../../fixtures/values.ts';

const f32 = (shape: Shape): TensorType => ({ dtype: 'f32', shape });

describe('conv_transpose', () => {
  // The output padding is what a stride leaves over at the end: then shapes are inverse.
  it.each([
    ['1D, k4 s2 p1', [2, 3, 8], [5, 3, 4], [2], [1], [0]],
    ['2D, k4 s2 p1', [2, 3, 8, 6], [5, 3, 4, 4], [2, 2], [1, 1], [0, 0]],
    ['2D, k3 s1 p1', [1, 2, 5, 4], [3, 2, 3, 3], [1, 1], [1, 1], [0, 0]],
    ['2D, k3 s2 p1, even and odd', [1, 2, 6, 5], [3, 2, 3, 3], [2, 2], [1, 1], [1, 0]],
    ['3D, depth kept', [1, 2, 3, 8, 6], [3, 2, 3, 4, 4], [1, 2, 2], [1, 1, 1], [0, 0, 0]],
    ['1D, of a conv padded behind alone', [2, 3, 8], [5, 3, 3], [2], [0, 1], [-1]],
    ['2D, of a conv padded behind alone', [1, 2, 6, 4], [3, 2, 3, 3], [2, 2], [0, 0, 1, 1], [-1, -1]],
    ['kernel below stride', [1, 2, 8], [3, 2, 2], [3], [0], [0]],
    ['kernel below stride, two left over', [1, 2, 10], [3, 2, 2], [3], [0], [2]],
  ] as const)(
    'is the adjoint of conv: <conv(x), y> = <x, conv_transpose(y)>, %s',
    (_, xs, ws, stride, padding, output_padding) => {
      const [x, w] = [noise(xs, 1), noise(ws, 2)];
      const forward = conv.reference([x, w], { stride, padding });
      const y = noise(forward.shape, 3);
      // conv's weight [O, I, …] read as [I, O, …] of the transposed convolution is the same tensor.
      const begin = padding.slice(0, stride.length);
      const backward = conv_transpose.reference([y, w], { stride, padding: begin, output_padding });
      expect(backward.shape).toEqual(xs);
      expect(dot(x, backward)).toBeCloseTo(dot(forward, y), 10);
    },
  );

  it('adds the bias everywhere and spreads the kernel by the stride', () => {
    const y = conv_transpose.reference(
      [tensor([1, 1, 2], [1, 10]), tensor([1, 1, 4], [1, 2, 3, 4]), tensor([1], [100])],
      { stride: [2], padding: [1], output_padding: [0] },
    );
    expect([...y.data]).toEqual([102, 113, 124, 130]);
  });

  it('counts the products of input elements and taps', () => {
    const inputs = [f32([1, 8, 4, 4]), f32([8, 6, 4, 4]), f32([6])];
    const attrs = { stride: [2, 2], padding: [1, 1], output_padding: [0, 0] };
    expect(conv_transpose.macs(inputs, attrs).conv).toBe(8 * 16 * 6 * 16);
    expect(conv_transpose.flops(inputs, attrs)).toBe(2 * 8 * 16 * 6 * 16 + 6 * 64);
  });

  it.each([
    [
      'a weight ordered as of conv',
      [f32([1, 3, 8]), f32([4, 3, 4]), f32([3])],
      { stride: [2], padding: [1], output_padding: [0] },
      /weight must be \[3,3,4\]/,
    ],
    [
      'padding that leaves nothing',
      [f32([1, 3, 1]), f32([3, 3, 2]), f32([3])],
      { stride: [2], padding: [1], output_padding: [0] },
      /leaves nothing/,
    ],
  ] as const)('refuses %s', (_, inputs, attrs, message) => {
    expect(() => conv_transpose.infer(inputs, attrs)).toThrow(message);
  });
});
