// Cross-correlation with zero padding in 1 to 3 dimensions, as torch.nn.functional.conv1d … conv3d:
// y[b, o, p] = bias[o] + Σ_{i, k} weight[o, i, k] · x[b, i, p · stride + k - padding],
// where x is zero in the padding at its beginning and, which may be as much or another, at its end.

import { convolve } from './convolve.ts';
import { NO_MACS, type OpAttrs, type OpDef, type Shape, sizeOf, type TensorType } from './op.ts';
import { activation, demand, demandPerDimension, demandShape, formatType, product } from './operands.ts';
import { asSpace3 } from './space.ts';

/** Padding at the beginning and at the end of every dimension. */
export function paddingOf({ stride, padding }: OpAttrs['conv']): {
  readonly begin: Shape;
  readonly end: Shape;
} {
  const rank = stride.length;
  return { begin: padding.slice(0, rank), end: padding.length > rank ? padding.slice(rank) : padding };
}

function outputShape(inputs: readonly TensorType[], attrs: OpAttrs['conv']): Shape {
  const [x, weight, bias] = product('conv', inputs);
  const { batch, channels, space } = activation('conv', 'x', x);
  const { stride } = attrs;
  const [to, , ...kernel] = weight.shape;
  demand(
    weight.shape.length === x.shape.length,
    'conv',
    () => `weight ${formatType(weight)} and x ${formatType(x)} differ in their number of dimensions`,
  );
  demandShape('conv', 'weight', weight, [to!, channels, ...kernel]);
  if (bias) demandShape('conv', 'bias', bias, [to!]);
  demandPerDimension('conv', 'stride', stride, space, 1);
  const { begin, end } = paddingOf(attrs);
  demandPerDimension('conv', 'padding', begin, space, 0);
  demandPerDimension('conv', 'padding at the end', end, space, 0);
  const size = space.map((n, d) => Math.floor((n + begin[d]! + end[d]! - kernel[d]!) / stride[d]!) + 1);
  demand(
    size.every((n) => n >= 1),
    'conv',
    () => `kernel [${kernel.join(', ')}] is larger than the padded input ${formatType(x)}`,
  );
  return [batch, to!, ...size];
}

/** Terms of the sum for one output element. */
function terms(inputs: readonly TensorType[]): number {
  return sizeOf(inputs[1]!.shape.slice(1));
}

export const conv: OpDef<'conv'> = {
  infer: (inputs, attrs) => ({ dtype: inputs[0]!.dtype, shape: outputShape(inputs, attrs) }),
  macs: (inputs, attrs) => ({ ...NO_MACS, conv: sizeOf(outputShape(inputs, attrs)) * terms(inputs) }),
  flops: (inputs, attrs) => sizeOf(outputShape(inputs, attrs)) * (2 * terms(inputs) + 1),

  reference(inputs, attrs) {
    const [x, weight, bias] = product('conv', inputs);
    const [to] = weight.shape;
    const [, channels, ...space] = x.shape;
    const { begin, end } = paddingOf(attrs);
    const y = convolve(x.data, weight.data, bias?.data ?? new Float64Array(to!), {
      batch: x.shape[0]!,
      channels: channels!,
      to: to!,
      size: asSpace3(space, 1),
      kernel: asSpace3(weight.shape.slice(2), 1),
      stride: asSpace3(attrs.stride, 1),
      padding: asSpace3(begin, 0),
      end: asSpace3(end, 0),
    });
    return { shape: [x.shape[0]!, to!, ...y.size.slice(3 - space.length)], data: y.data };
  },
};
