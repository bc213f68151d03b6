// Cross-correlation with zero padding in 1 to 3 dimensions, as torch.nn.functional.conv1d … conv3d:
// y[b, o, p] = bias[o] + Σ_{i, k} weight[o, i, k] · x[b, i, p · stride + k - padding].

import { convolve } from './convolve.ts';
import { NO_MACS, type OpAttrs, type OpDef, type Shape, sizeOf, type TensorType } from './op.ts';
import { activation, demand, demandPerDimension, demandShape, formatType, ternary } from './operands.ts';
import { asSpace3 } from './space.ts';

function outputShape(inputs: readonly TensorType[], { stride, padding }: OpAttrs['conv']): Shape {
  const [x, weight, bias] = ternary('conv', inputs);
  const { batch, channels, space } = activation('conv', 'x', x);
  const [to, , ...kernel] = weight.shape;
  demand(
    weight.shape.length === x.shape.length,
    'conv',
    () => `weight ${formatType(weight)} and x ${formatType(x)} differ in their number of dimensions`,
  );
  demandShape('conv', 'weight', weight, [to!, channels, ...kernel]);
  demandShape('conv', 'bias', bias, [to!]);
  demandPerDimension('conv', 'stride', stride, space, 1);
  demandPerDimension('conv', 'padding', padding, space, 0);
  const size = space.map((n, d) => Math.floor((n + 2 * padding[d]! - kernel[d]!) / stride[d]!) + 1);
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

  reference(inputs, { stride, padding }) {
    const [x, weight, bias] = ternary('conv', inputs);
    const [, channels, ...space] = x.shape;
    const y = convolve(x.data, weight.data, bias.data, {
      batch: x.shape[0]!,
      channels: channels!,
      to: weight.shape[0]!,
      size: asSpace3(space, 1),
      kernel: asSpace3(weight.shape.slice(2), 1),
      stride: asSpace3(stride, 1),
      padding: asSpace3(padding, 0),
    });
    return { shape: [x.shape[0]!, weight.shape[0]!, ...y.size.slice(3 - space.length)], data: y.data };
  },
};
