// The same elements with other spatial sizes: attention sees an image as a sequence of positions, and a vector for each
// sample is an activation of one position.

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { demand, demandFloat, formatType, unary } from './operands.ts';

export const reshape: OpDef<'reshape'> = {
  infer(inputs, { shape }) {
    const [x] = unary('reshape', inputs);
    demandFloat('reshape', 'x', x);
    const [batch, channels, ...space] = x.shape;
    const ranked = [x.shape, shape].every(({ length }) => length >= 2 && length <= 5);
    const fits =
      ranked && shape[0] === batch && shape[1] === channels && sizeOf(shape.slice(2)) === sizeOf(space);
    demand(
      fits,
      'reshape',
      () => `${formatType(x)} to [${shape.join(',')}] changes more than spatial dimensions`,
    );
    return { dtype: x.dtype, shape };
  },
  macs: () => NO_MACS,
  flops: () => 0,
  reference: (inputs, { shape }) => ({ shape, data: unary('reshape', inputs)[0].data }),
};
