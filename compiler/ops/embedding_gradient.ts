// The gradient of `embedding` by its table, where g is that by its result: y[n, e] = Σ_{b: indices[b] = n} g[b, e], samples
// in their order.

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { binary, demand, demandFloat, formatType } from './operands.ts';

export const embedding_gradient: OpDef<'embedding_gradient'> = {
  infer(inputs, { rows }) {
    const [g, indices] = binary('embedding_gradient', inputs);
    demandFloat('embedding_gradient', 'g', g);
    demand(
      g.shape.length === 2 && indices.dtype === 'u32' && indices.shape.join() === String(g.shape[0]),
      'embedding_gradient',
      () => `takes g [B, E] and u32 labels [B], got ${formatType(g)} and ${formatType(indices)}`,
    );
    return { dtype: g.dtype, shape: [rows, g.shape[1]!] };
  },
  macs: () => NO_MACS,
  flops: (inputs) => sizeOf(binary('embedding_gradient', inputs)[0].shape),
  reference(inputs, { rows }) {
    const [g, indices] = binary('embedding_gradient', inputs);
    const width = g.shape[1]!;
    const data = new Float64Array(rows * width);
    indices.data.forEach((label, b) => {
      demand(
        Number.isInteger(label) && label >= 0 && label < rows,
        'embedding_gradient',
        () => `label ${label} of sample ${b} is not one of 0 … ${rows - 1}`,
      );
      for (let e = 0; e < width; e++) {
        data[label * width + e] = data[label * width + e]! + g.data[b * width + e]!;
      }
    });
    return { shape: [rows, width], data };
  },
};
