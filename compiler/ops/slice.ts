// Channels `start` up to, not including, `end`.

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { demand, demandFloat, formatType, unary } from './operands.ts';

export const slice: OpDef<'slice'> = {
  infer(inputs, { start, end }) {
    const [x] = unary('slice', inputs);
    demandFloat('slice', 'x', x);
    const fits =
      x.shape.length >= 2 &&
      Number.isInteger(start) &&
      Number.isInteger(end) &&
      0 <= start &&
      start < end &&
      end <= x.shape[1]!;
    demand(fits, 'slice', () => `channels ${start} … ${end} are not in ${formatType(x)}`);
    return { dtype: x.dtype, shape: [x.shape[0]!, end - start, ...x.shape.slice(2)] };
  },
  macs: () => NO_MACS,
  flops: () => 0,
  reference(inputs, { start, end }) {
    const [x] = unary('slice', inputs);
    const [batch, channels, ...space] = x.shape;
    const positions = sizeOf(space);
    const taken = (end - start) * positions;
    const data = new Float64Array(batch! * taken);
    for (let b = 0; b < batch!; b++) {
      const from = (b * channels! + start) * positions;
      data.set(x.data.subarray(from, from + taken), b * taken);
    }
    return { shape: [batch!, end - start, ...space], data };
  },
};
