// Joins two values along channels: the skip connections, and low_res beside x.

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { binary, demand, demandFloat, formatType, sameShape } from './operands.ts';

export const concat: OpDef<'concat'> = {
  infer(inputs) {
    const [a, b] = binary('concat', inputs);
    demandFloat('concat', 'a', a);
    const fits =
      a.dtype === b.dtype &&
      a.shape.length >= 2 &&
      a.shape[0] === b.shape[0] &&
      sameShape(a.shape.slice(2), b.shape.slice(2));
    demand(fits, 'concat', () => `${formatType(a)} and ${formatType(b)} differ in more than channels`);
    return { dtype: a.dtype, shape: [a.shape[0]!, a.shape[1]! + b.shape[1]!, ...a.shape.slice(2)] };
  },
  macs: () => NO_MACS,
  flops: () => 0,
  reference(inputs) {
    const [a, b] = binary('concat', inputs);
    const batch = a.shape[0]!;
    const [fromA, fromB] = [a.data.length / batch, b.data.length / batch];
    const shape = [batch, a.shape[1]! + b.shape[1]!, ...a.shape.slice(2)];
    const data = new Float64Array(sizeOf(shape));
    for (let n = 0; n < batch; n++) {
      data.set(a.data.subarray(n * fromA, (n + 1) * fromA), n * (fromA + fromB));
      data.set(b.data.subarray(n * fromB, (n + 1) * fromB), n * (fromA + fromB) + fromA);
    }
    return { shape, data };
  },
};
