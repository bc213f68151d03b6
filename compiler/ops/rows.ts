// Rows `start` up to, not including, `end` of the first axis: the part of one parameter in the gradient by several that were
// joined.

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { demand, demandFloat, formatType, unary } from './operands.ts';

export const rows: OpDef<'rows'> = {
  infer(inputs, { start, end }) {
    const [x] = unary('rows', inputs);
    demandFloat('rows', 'x', x);
    const fits = [start, end].every(Number.isInteger) && 0 <= start && start < end && end <= x.shape[0]!;
    demand(fits, 'rows', () => `rows ${start} … ${end} are not in ${formatType(x)}`);
    return { dtype: x.dtype, shape: [end - start, ...x.shape.slice(1)] };
  },
  macs: () => NO_MACS,
  flops: () => 0,
  reference(inputs, { start, end }) {
    const [x] = unary('rows', inputs);
    const row = sizeOf(x.shape.slice(1));
    return { shape: [end - start, ...x.shape.slice(1)], data: x.data.slice(start * row, end * row) };
  },
};
