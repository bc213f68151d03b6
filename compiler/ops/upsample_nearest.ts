// Repeats every position `factor` times along each dimension: y[b, c, p] = x[b, c, floor(p / factor)].

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { activation, demandPerDimension, unary } from './operands.ts';
import { asSpace3 } from './space.ts';

export const upsample_nearest: OpDef<'upsample_nearest'> = {
  infer(inputs, { factor }) {
    const [x] = unary('upsample_nearest', inputs);
    const { batch, channels, space } = activation('upsample_nearest', 'x', x);
    demandPerDimension('upsample_nearest', 'factor', factor, space, 1);
    return { dtype: x.dtype, shape: [batch, channels, ...space.map((n, d) => n * factor[d]!)] };
  },
  macs: () => NO_MACS,
  flops: () => 0,
  reference(inputs, { factor }) {
    const [x] = unary('upsample_nearest', inputs);
    const [batch, channels, ...space] = x.shape;
    const [inD, inH, inW] = asSpace3(space, 1);
    const [fD, fH, fW] = asSpace3(factor, 1);
    const shape = [batch!, channels!, ...space.map((n, d) => n * factor[d]!)];
    const y = new Float64Array(sizeOf(shape));
    let at = 0;
    for (let plane = 0; plane < batch! * channels!; plane++) {
      for (let d = 0; d < inD * fD; d++) {
        for (let h = 0; h < inH * fH; h++) {
          const row = ((plane * inD + Math.floor(d / fD)) * inH + Math.floor(h / fH)) * inW;
          for (let w = 0; w < inW * fW; w++) y[at++] = x.data[row + Math.floor(w / fW)]!;
        }
      }
    }
    return { shape, data: y };
  },
};
