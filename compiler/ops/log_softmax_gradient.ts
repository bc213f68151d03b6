// The gradient of Σ_b log softmax(logits[b])[y[b]] by the logits: 1 where k is y[b], else 0, less softmax(logits[b])[k].

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { binary, demand, demandFloat, formatType } from './operands.ts';

export const log_softmax_gradient: OpDef<'log_softmax_gradient'> = {
  infer(inputs) {
    const [logits, y] = binary('log_softmax_gradient', inputs);
    demandFloat('log_softmax_gradient', 'logits', logits);
    demand(
      logits.shape.length === 2 &&
        y.shape.length === 1 &&
        y.dtype === 'u32' &&
        y.shape[0] === logits.shape[0],
      'log_softmax_gradient',
      () => `takes logits [B, K] and u32 labels [B], got ${formatType(logits)} and ${formatType(y)}`,
    );
    return logits;
  },
  macs: () => NO_MACS,
  // Maximum, difference, exponential, sum, quotient, difference.
  flops: (inputs) => 6 * sizeOf(binary('log_softmax_gradient', inputs)[0].shape),
  reference(inputs) {
    const [logits, y] = binary('log_softmax_gradient', inputs);
    const classes = logits.shape[1]!;
    const data = new Float64Array(logits.data.length);
    y.data.forEach((label, b) => {
      demand(
        Number.isInteger(label) && label >= 0 && label < classes,
        'log_softmax_gradient',
        () => `label ${label} of sample ${b} is not one of 0 … ${classes - 1}`,
      );
      const row = logits.data.subarray(b * classes, (b + 1) * classes);
      const maximum = row.reduce((a, v) => Math.max(a, v), -Infinity);
      const total = row.reduce((sum, v) => sum + Math.exp(v - maximum), 0);
      row.forEach((v, k) => {
        data[b * classes + k] = (k === label ? 1 : 0) - Math.exp(v - maximum) / total;
      });
    });
    return { shape: logits.shape, data };
  },
};
