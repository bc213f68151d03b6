// What dropout does to a value in training: y_i = factor · x_i where mask_i is 1, else 0.

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { binary, demand, demandFloat, formatType, sameShape } from './operands.ts';

export const apply_mask: OpDef<'apply_mask'> = {
  infer(inputs) {
    const [x, mask] = binary('apply_mask', inputs);
    demandFloat('apply_mask', 'x', x);
    demand(
      mask.dtype === 'u32' && sameShape(x.shape, mask.shape),
      'apply_mask',
      () => `takes x and a u32 mask of its shape, got ${formatType(x)} and ${formatType(mask)}`,
    );
    return x;
  },
  macs: () => NO_MACS,
  flops: (inputs) => sizeOf(binary('apply_mask', inputs)[0].shape),
  reference(inputs, { factor }) {
    const [x, mask] = binary('apply_mask', inputs);
    return { shape: x.shape, data: x.data.map((value, i) => (mask.data[i] === 0 ? 0 : factor * value)) };
  },
};
