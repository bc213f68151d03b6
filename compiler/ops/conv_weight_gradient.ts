// The gradient of `conv` by its weight: x is what was convolved, g the gradient by the result,
// y[o, i, k] = Σ_{b, p} g[b, o, p] · x[b, i, p · stride + k - padding]. With x and g exchanged it is that of
// `conv_transpose`, and over one position that of `linear`. `padding` is that in front; a tap outside of x counts as zero.
// The sum is float32, as parameters are.

import { NO_MACS, type OpAttrs, type OpDef, type Shape, sizeOf, type TensorType } from './op.ts';
import { activation, binary, demand, demandPerDimension, formatType } from './operands.ts';
import { asSpace3 } from './space.ts';

function outputShape(
  inputs: readonly TensorType[],
  { stride, padding, kernel }: OpAttrs['conv_weight_gradient'],
): Shape {
  const [x, g] = binary('conv_weight_gradient', inputs);
  const { batch, channels, space } = activation('conv_weight_gradient', 'x', x);
  const to = activation('conv_weight_gradient', 'g', g);
  demandPerDimension('conv_weight_gradient', 'stride', stride, space, 1);
  demandPerDimension('conv_weight_gradient', 'padding', padding, space, 0);
  demandPerDimension('conv_weight_gradient', 'kernel', kernel, space, 1);
  demand(
    to.batch === batch && to.space.length === space.length,
    'conv_weight_gradient',
    () => `g ${formatType(g)} is no gradient by a result of x ${formatType(x)}`,
  );
  return [to.channels, channels, ...kernel];
}

/** Every element of g meets every tap of every channel of x, those in the padding included. */
function products(inputs: readonly TensorType[], attrs: OpAttrs['conv_weight_gradient']): number {
  const [x, g] = binary('conv_weight_gradient', inputs);
  return sizeOf(g.shape) * x.shape[1]! * sizeOf(attrs.kernel);
}

export const conv_weight_gradient: OpDef<'conv_weight_gradient'> = {
  infer: (inputs, attrs) => ({ dtype: 'f32', shape: outputShape(inputs, attrs) }),
  macs: (inputs, attrs) => ({ ...NO_MACS, conv: products(inputs, attrs) }),
  flops: (inputs, attrs) => 2 * products(inputs, attrs),
  reference(inputs, { stride, padding, kernel }) {
    const [x, g] = binary('conv_weight_gradient', inputs);
    const [batch, channels, ...space] = x.shape;
    const [, outputs, ...size] = g.shape;
    const [inD, inH, inW] = asSpace3(space, 1);
    const [outD, outH, outW] = asSpace3(size, 1);
    const [kD, kH, kW] = asSpace3(kernel, 1);
    const [sD, sH, sW] = asSpace3(stride, 1);
    const [pD, pH, pW] = asSpace3(padding, 0);
    const shape = [outputs!, channels!, ...kernel];
    const y = new Float64Array(sizeOf(shape));
    let at = 0;
    for (let o = 0; o < outputs!; o++) {
      for (let i = 0; i < channels!; i++) {
        for (let kd = 0; kd < kD; kd++) {
          for (let kh = 0; kh < kH; kh++) {
            for (let kw = 0; kw < kW; kw++) {
              let sum = 0;
              for (let b = 0; b < batch!; b++) {
                for (let d = 0; d < outD; d++) {
                  const fromD = d * sD + kd - pD;
                  if (fromD < 0 || fromD >= inD) continue;
                  for (let h = 0; h < outH; h++) {
                    const fromH = h * sH + kh - pH;
                    if (fromH < 0 || fromH >= inH) continue;
                    const row = (((b * channels! + i) * inD + fromD) * inH + fromH) * inW;
                    const of = (((b * outputs! + o) * outD + d) * outH + h) * outW;
                    for (let w = 0; w < outW; w++) {
                      const fromW = w * sW + kw - pW;
                      if (fromW >= 0 && fromW < inW) sum += g.data[of + w]! * x.data[row + fromW]!;
                    }
                  }
                }
              }
              y[at++] = sum;
            }
          }
        }
      }
    }
    return { shape, data: y };
  },
};
