// The same elements with other spatial sizes: attention sees an image as a sequence of positions.

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { activation, demand, formatType, unary } from './operands.ts';

export const reshape: OpDef<'reshape'> = {
  infer(inputs, { shape }) {
    const [x] = unary('reshape', inputs);
    const { batch, channels, space } = activation('reshape', 'x', x);
    const fits =
      shape.length >= 3 &&
      shape.length <= 5 &&
      shape[0] === batch &&
      shape[1] === channels &&
      sizeOf(shape.slice(2)) === sizeOf(space);
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
