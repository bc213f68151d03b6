// Transposed convolution, the adjoint of `conv` over space, as torch.nn.functional.conv_transpose1d … 3d:
// y[b, o, p] = bias[o] + Σ_{i, q, k: q · stride + k - padding = p} weight[i, o, k] · x[b, i, q].
// A convolution with a stride gives inputs of several sizes the same output; `output_padding` tells which one is meant.

import { NO_MACS, type OpAttrs, type OpDef, type Shape, sizeOf, type TensorType } from './op.ts';
import { activation, demand, demandPerDimension, demandShape, formatType, product } from './operands.ts';
import { asSpace3 } from './space.ts';

function outputShape(
  inputs: readonly TensorType[],
  { stride, padding, output_padding }: OpAttrs['conv_transpose'],
): Shape {
  const [x, weight, bias] = product('conv_transpose', inputs);
  const { batch, channels, space } = activation('conv_transpose', 'x', x);
  const [, to, ...kernel] = weight.shape;
  demand(
    weight.shape.length === x.shape.length,
    'conv_transpose',
    () => `weight ${formatType(weight)} and x ${formatType(x)} differ in their number of dimensions`,
  );
  demandShape('conv_transpose', 'weight', weight, [channels, to!, ...kernel]);
  if (bias) demandShape('conv_transpose', 'bias', bias, [to!]);
  demandPerDimension('conv_transpose', 'stride', stride, space, 1);
  demandPerDimension('conv_transpose', 'padding', padding, space, 0);
  demandPerDimension('conv_transpose', 'output_padding', output_padding, space);
  demand(
    output_padding.every((n, d) => n < stride[d]!),
    'conv_transpose',
    () => `output_padding [${output_padding.join(', ')}] must be below the stride [${stride.join(', ')}]`,
  );
  const size = space.map((n, d) => (n - 1) * stride[d]! - 2 * padding[d]! + kernel[d]! + output_padding[d]!);
  demand(
    size.every((n) => n >= 1),
    'conv_transpose',
    () => `padding [${padding.join(', ')}] leaves nothing of the output of ${formatType(x)}`,
  );
  return [batch, to!, ...size];
}

/** Every input element meets every tap of every output channel once, those that fall into the padding included. */
function products(inputs: readonly TensorType[]): number {
  const [x, weight] = product('conv_transpose', inputs);
  return sizeOf(x.shape) * sizeOf(weight.shape.slice(1));
}

export const conv_transpose: OpDef<'conv_transpose'> = {
  infer: (inputs, attrs) => ({ dtype: inputs[0]!.dtype, shape: outputShape(inputs, attrs) }),
  macs: (inputs) => ({ ...NO_MACS, conv: products(inputs) }),
  flops: (inputs, attrs) => 2 * products(inputs) + sizeOf(outputShape(inputs, attrs)),
  reference(inputs, attrs) {
    const { stride, padding, output_padding } = attrs;
    const [x, weight, bias] = product('conv_transpose', inputs);
    const [batch, channels, ...space] = x.shape;
    const [, to, ...kernel] = weight.shape;
    const size = space.map(
      (n, d) => (n - 1) * stride[d]! - 2 * padding[d]! + kernel[d]! + output_padding[d]!,
    );
    const [inD, inH, inW] = asSpace3(space, 1);
    const [outD, outH, outW] = asSpace3(size, 1);
    const [kD, kH, kW] = asSpace3(kernel, 1);
    const [sD, sH, sW] = asSpace3(stride, 1);
    const [pD, pH, pW] = asSpace3(padding, 0);
    const positions = outD * outH * outW;
    const y = new Float64Array(batch! * to! * positions);
    for (let b = 0; b < batch!; b++) {
      for (let o = 0; o < to!; o++) {
        const plane = (b * to! + o) * positions;
        y.fill(bias?.data[o] ?? 0, plane, plane + positions);
        for (let i = 0; i < channels!; i++) {
          const taps = (i * to! + o) * kD * kH * kW;
          for (let d = 0; d < inD; d++) {
            for (let h = 0; h < inH; h++) {
              const from = (((b * channels! + i) * inD + d) * inH + h) * inW;
              for (let kd = 0; kd < kD; kd++) {
                const toD = d * sD + kd - pD;
                if (toD < 0 || toD >= outD) continue;
                for (let kh = 0; kh < kH; kh++) {
                  const toH = h * sH + kh - pH;
                  if (toH < 0 || toH >= outH) continue;
                  const row = plane + (toD * outH + toH) * outW;
                  for (let kw = 0; kw < kW; kw++) {
                    const value = weight.data[taps + (kd * kH + kh) * kW + kw]!;
                    for (let w = 0; w < inW; w++) {
                      const toW = w * sW + kw - pW;
                      if (toW >= 0 && toW < outW) y[row + toW] = y[row + toW]! + value * x.data[from + w]!;
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
    return { shape: [batch!, to!, ...size], data: y };
  },
};
