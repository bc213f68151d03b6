import { describe, expect, it } from 'vitest';
import { conv } from '../../../compiler/ops/conv.ts';
import type { OpAttrs, RefTensor, Shape, TensorType } from '../../../compiler/ops/op.ts';
import { at, indices, noise, relativeL2, tensor } from '../../fixtures/values.ts';

const f32 = (shape: Shape): TensorType => ({ dtype: 'f32', shape });

/** The definition, one output element after the other. */
function byDefinition(
  x: RefTensor,
  w: RefTensor,
  bias: RefTensor,
  shape: Shape,
  attrs: OpAttrs['conv'],
): Float64Array {
  const taps = [...indices(w.shape.slice(1))];
  const y = [...indices(shape)].map(([b, o, ...p]) => {
    const terms = taps.map(([i, ...k]) => {
      const place = k.map((kd, d) => p[d]! * attrs.stride[d]! + kd - attrs.padding[d]!);
      return at(w, [o!, i!, ...k]) * at(x, [b!, i!, ...place]);
    });
    return terms.reduce((a, b) => a + b, bias.data[o!]!);
  });
  return Float64Array.from(y);
}

const CASES: readonly [name: string, x: Shape, w: Shape, stride: Shape, padding: Shape][] = [
  ['1D, kernel 3', [2, 3, 7], [5, 3, 3], [1], [1]],
  ['1D, stride 2, odd size', [1, 2, 9], [4, 2, 3], [2], [1]],
  ['2D, 3x3, non-square', [2, 3, 5, 4], [6, 3, 3, 3], [1, 1], [1, 1]],
  ['2D, 1x1', [1, 5, 3, 3], [3, 5, 1, 1], [1, 1], [0, 0]],
  ['2D, stride 2, even and odd size', [1, 2, 6, 7], [3, 2, 3, 3], [2, 2], [1, 1]],
  ['2D, stride beyond the kernel', [1, 2, 8, 8], [2, 2, 2, 2], [3, 3], [0, 0]],
  ['2D, kernel and stride by dimension', [2, 3, 9, 6], [4, 3, 4, 2], [3, 1], [2, 0]],
  ['3D, only height and width strided', [1, 2, 3, 5, 6], [3, 2, 3, 3, 3], [1, 2, 2], [1, 1, 1]],
  ['1D, padded behind alone', [2, 3, 8], [5, 3, 3], [2], [0, 1]],
  ['2D, padded behind alone', [2, 3, 6, 4], [5, 3, 3, 3], [2, 2], [0, 0, 1, 1]],
  ['2D, other padding on every side', [1, 2, 4, 5], [3, 2, 3, 3], [1, 1], [2, 0, 1, 3]],
  ['3D, depth on both sides', [1, 2, 3, 4, 6], [3, 2, 3, 3, 3], [1, 2, 2], [1, 0, 0, 1, 1, 1]],
  ['one output position', [1, 4, 2, 2], [7, 4, 2, 2], [1, 1], [0, 0]],
];

describe('conv', () => {
  it.each(CASES)('is the sum of the definition: %s', (_, xShape, wShape, stride, padding) => {
    const [x, w, bias] = [noise(xShape, 1), noise(wShape, 2), noise([wShape[0]!], 3)];
    const attrs = { stride, padding };
    const type = conv.infer([f32(x.shape), f32(w.shape), f32(bias.shape)], attrs);
    const y = conv.reference([x, w, bias], attrs);
    expect(y.shape).toEqual(type.shape);
    expect(relativeL2(y.data, byDefinition(x, w, bias, type.shape, attrs))).toBeLessThan(1e-14);
  });

  it('is a cross-correlation: the kernel is not flipped', () => {
    const y = conv.reference(
      [tensor([1, 1, 4], [0, 1, 0, 0]), tensor([1, 1, 3], [1, 2, 3]), tensor([1], [0])],
      {
        stride: [1],
        padding: [1],
      },
    );
    expect([...y.data]).toEqual([3, 2, 1, 0]);
  });

  it('does not let a value of one place reach another through padding terms', () => {
    const x = noise([1, 3, 4, 4], 1);
    x.data[0] = Infinity;
    const y = conv.reference([x, noise([5, 3, 3, 3], 2), noise([5], 3)], { stride: [1, 1], padding: [1, 1] });
    const finite = [...indices([5, 4, 4])].filter(([o, h, w]) => Number.isFinite(at(y, [0, o!, h!, w!])));
    expect(finite).toEqual([...indices([5, 4, 4])].filter(([, h, w]) => h! > 1 || w! > 1));
  });

  it('counts what thop counts', () => {
    const inputs = [f32([2, 3, 8, 8]), f32([16, 3, 3, 3]), f32([16])];
    const attrs = { stride: [2, 2], padding: [1, 1] };
    expect(conv.macs(inputs, attrs)).toEqual({ conv: 2 * 16 * 4 * 4 * 27, linear: 0, attention: 0 });
    expect(conv.flops(inputs, attrs)).toBe(2 * 16 * 4 * 4 * (2 * 27 + 1));
  });

  it('keeps the element type of x', () => {
    const inputs: TensorType[] = [{ dtype: 'f16', shape: [1, 3, 8] }, f32([4, 3, 1]), f32([4])];
    expect(conv.infer(inputs, { stride: [1], padding: [0] })).toEqual({ dtype: 'f16', shape: [1, 4, 8] });
  });

  const ok = { stride: [1, 1], padding: [1, 1] };
  it.each([
    [
      'a weight of other channels',
      [f32([1, 3, 8, 8]), f32([4, 2, 3, 3]), f32([4])],
      ok,
      /weight must be \[4,3,3,3\]/,
    ],
    ['a weight of other rank', [f32([1, 3, 8, 8]), f32([4, 3, 3]), f32([4])], ok, /number of dimensions/],
    ['a bias of another size', [f32([1, 3, 8, 8]), f32([4, 3, 3, 3]), f32([3])], ok, /bias must be \[4\]/],
    ['no weight', [f32([1, 3, 8, 8])], ok, /takes 2 operands and maybe a bias, got 1/],
    [
      'stride 0',
      [f32([1, 3, 8, 8]), f32([4, 3, 3, 3]), f32([4])],
      { ...ok, stride: [0, 1] },
      /stride must be/,
    ],
    [
      'padding of one dimension',
      [f32([1, 3, 8, 8]), f32([4, 3, 3, 3]), f32([4])],
      { ...ok, padding: [1] },
      /padding/,
    ],
    [
      'a kernel larger than x',
      [f32([1, 3, 2, 2]), f32([4, 3, 5, 5]), f32([4])],
      ok,
      /larger than the padded input/,
    ],
    ['labels', [{ dtype: 'u32', shape: [1, 3, 8, 8] }, f32([4, 3, 3, 3]), f32([4])], ok, /must be a float/],
  ] as const)('refuses %s', (_, inputs, attrs, message) => {
    expect(() => conv.infer(inputs, attrs)).toThrow(message);
  });
});
