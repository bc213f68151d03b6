// Mean over windows that do not overlap (stride = kernel, no padding); a rest at the end is dropped.

import { NO_MACS, type OpDef, type Shape, sizeOf, type TensorType } from './op.ts';
import { activation, demand, demandPerDimension, formatType, unary } from './operands.ts';
import { asSpace3 } from './space.ts';

function outputShape(inputs: readonly TensorType[], kernel: Shape): Shape {
  const [x] = unary('avg_pool', inputs);
  const { batch, channels, space } = activation('avg_pool', 'x', x);
  demandPerDimension('avg_pool', 'kernel', kernel, space, 1);
  const size = space.map((n, d) => Math.floor(n / kernel[d]!));
  demand(
    size.every((n) => n >= 1),
    'avg_pool',
    () => `kernel [${kernel.join(', ')}] is larger than ${formatType(x)}`,
  );
  return [batch, channels, ...size];
}

export const avg_pool: OpDef<'avg_pool'> = {
  infer: (inputs, { kernel }) => ({ dtype: inputs[0]!.dtype, shape: outputShape(inputs, kernel) }),
  macs: () => NO_MACS,
  flops: (inputs, { kernel }) => sizeOf(outputShape(inputs, kernel)) * sizeOf(kernel),
  reference(inputs, { kernel }) {
    const [x] = unary('avg_pool', inputs);
    const [batch, channels, ...space] = x.shape;
    const size = space.map((n, d) => Math.floor(n / kernel[d]!));
    const [inD, inH, inW] = asSpace3(space, 1);
    const [outD, outH, outW] = asSpace3(size, 1);
    const [kD, kH, kW] = asSpace3(kernel, 1);
    const shape = [batch!, channels!, ...size];
    const y = new Float64Array(sizeOf(shape));
    let at = 0;
    for (let plane = 0; plane < batch! * channels!; plane++) {
      for (let d = 0; d < outD; d++) {
        for (let h = 0; h < outH; h++) {
          for (let w = 0; w < outW; w++) {
            let sum = 0;
            for (let kd = 0; kd < kD; kd++) {
              for (let kh = 0; kh < kH; kh++) {
                const row = ((plane * inD + d * kD + kd) * inH + h * kH + kh) * inW + w * kW;
                for (let kw = 0; kw < kW; kw++) sum += x.data[row + kw]!;
              }
            }
            y[at++] = sum / (kD * kH * kW);
          }
        }
      }
    }
    return { shape, data: y };
  },
};
