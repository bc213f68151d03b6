// The cross-entropy of a sample's logits and its label, its gradient by the logits, and whether the label is among the k classes
// that the logits favour.

import { NO_MACS, type OpDef, type OpName, type RefTensor, sizeOf, type TensorType } from './op.ts';
import { binary, demand, demandFloat, demandShape, formatType, ternary } from './operands.ts';

/** y[b] = -log softmax(logits[b])[label[b]]. */
export const cross_entropy: OpDef<'cross_entropy'> = {
  infer(inputs) {
    const [logits, labels] = binary('cross_entropy', inputs);
    demandLabelled('cross_entropy', logits, labels);
    return { dtype: 'f32', shape: labels.shape };
  },
  macs: () => NO_MACS,
  // Maximum, difference, exponential, sum.
  flops: (inputs) => 4 * sizeOf(binary('cross_entropy', inputs)[0].shape),
  reference(inputs) {
    const [logits, labels] = binary('cross_entropy', inputs);
    const data = rowsOf('cross_entropy', logits, labels).map(({ row, label }) => {
      const { highest, total } = exponentials(row);
      return highest + Math.log(total) - row[label]!;
    });
    return { shape: labels.shape, data: Float64Array.from(data) };
  },
};

/** logits, label, g [B]: g[b] (softmax(logits[b])[k] - (1 where k is label[b], else 0)). */
export const cross_entropy_gradient: OpDef<'cross_entropy_gradient'> = {
  infer(inputs) {
    const [logits, labels, g] = ternary('cross_entropy_gradient', inputs);
    demandLabelled('cross_entropy_gradient', logits, labels);
    demandShape('cross_entropy_gradient', 'g', g, labels.shape);
    return logits;
  },
  macs: () => NO_MACS,
  // Maximum, difference, exponential, sum, quotient, difference, product.
  flops: (inputs) => 7 * sizeOf(ternary('cross_entropy_gradient', inputs)[0].shape),
  reference(inputs) {
    const [logits, labels, g] = ternary('cross_entropy_gradient', inputs);
    const data = rowsOf('cross_entropy_gradient', logits, labels).flatMap(({ row, label }, b) => {
      const { highest, total } = exponentials(row);
      return Array.from(row, (v, k) => g.data[b]! * (Math.exp(v - highest) / total - (k === label ? 1 : 0)));
    });
    return { shape: logits.shape, data: Float64Array.from(data) };
  },
};

/** 1 where fewer than k classes have a larger logit than the label, else 0. */
export const top_k: OpDef<'top_k'> = {
  infer(inputs, { k }) {
    const [logits, labels] = binary('top_k', inputs);
    demandLabelled('top_k', logits, labels);
    demand(Number.isInteger(k) && k > 0, 'top_k', () => `k is a number of classes, got ${k}`);
    return { dtype: 'f32', shape: labels.shape };
  },
  macs: () => NO_MACS,
  flops: (inputs) => sizeOf(binary('top_k', inputs)[0].shape),
  reference(inputs, { k }) {
    const [logits, labels] = binary('top_k', inputs);
    const data = rowsOf('top_k', logits, labels).map(({ row, label }) => {
      return row.filter((v) => v > row[label]!).length < k ? 1 : 0;
    });
    return { shape: labels.shape, data: Float64Array.from(data) };
  },
};

function demandLabelled(op: OpName, logits: TensorType, labels: TensorType): void {
  demandFloat(op, 'logits', logits);
  demand(
    logits.shape.length === 2 &&
      labels.shape.length === 1 &&
      labels.dtype === 'u32' &&
      labels.shape[0] === logits.shape[0],
    op,
    () => `takes logits [B, K] and u32 labels [B], got ${formatType(logits)} and ${formatType(labels)}`,
  );
}

/** The logits of each sample with its label. */
function rowsOf(op: OpName, logits: RefTensor, labels: RefTensor) {
  const classes = logits.shape[1]!;
  return Array.from(labels.data, (label, b) => {
    demand(
      Number.isInteger(label) && label >= 0 && label < classes,
      op,
      () => `label ${label} of sample ${b} is not one of 0 … ${classes - 1}`,
    );
    return { row: logits.data.subarray(b * classes, (b + 1) * classes), label };
  });
}

function exponentials(row: Float64Array): { readonly highest: number; readonly total: number } {
  const highest = row.reduce((a, v) => Math.max(a, v), -Infinity);
  return { highest, total: row.reduce((sum, v) => sum + Math.exp(v - highest), 0) };
}
