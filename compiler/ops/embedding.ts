// Rows of a table by label: y[b, e] = table[indices[b], e].

import { NO_MACS, type OpDef } from './op.ts';
import { binary, demand, demandFloat, formatType } from './operands.ts';

export const embedding: OpDef<'embedding'> = {
  infer(inputs) {
    const [table, indices] = binary('embedding', inputs);
    demandFloat('embedding', 'table', table);
    demand(
      table.shape.length === 2 && indices.shape.length === 1 && indices.dtype === 'u32',
      'embedding',
      () => `takes a table [N, E] and u32 labels [B], got ${formatType(table)} and ${formatType(indices)}`,
    );
    return { dtype: table.dtype, shape: [indices.shape[0]!, table.shape[1]!] };
  },
  macs: () => NO_MACS,
  flops: () => 0,
  reference(inputs) {
    const [table, indices] = binary('embedding', inputs);
    const [rows, width] = [table.shape[0]!, table.shape[1]!];
    const data = new Float64Array(indices.data.length * width);
    indices.data.forEach((label, b) => {
      demand(
        Number.isInteger(label) && label >= 0 && label < rows,
        'embedding',
        () => `label ${label} of sample ${b} is not one of 0 … ${rows - 1}`,
      );
      data.set(table.data.subarray(label * width, (label + 1) * width), b * width);
    });
    return { shape: [indices.data.length, width], data };
  },
};
