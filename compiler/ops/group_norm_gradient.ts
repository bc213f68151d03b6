// The gradient of `group_norm` by x, where g is the gradient by its result. With the normalised x̂ = (x - mean) · r,
// r = 1 / sqrt(variance + eps), and h = weight[c] · g, over the elements of a group:
// y = r · (h - mean(h) - x̂ · mean(h · x̂)). Source: the derivative of mean and variance by every element.

import { group_norm } from './group_norm.ts';
import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { demandShape, ternary } from './operands.ts';

export const group_norm_gradient: OpDef<'group_norm_gradient'> = {
  infer(inputs, attrs) {
    const [x, weight, g] = ternary('group_norm_gradient', inputs);
    group_norm.infer([x, weight, weight], attrs);
    demandShape('group_norm_gradient', 'g', g, x.shape);
    return g;
  },
  macs: () => NO_MACS,
  // Mean 1, variance 3, x̂ 2, h 1, its means 3, the result 4 an element.
  flops: (inputs) => 14 * sizeOf(ternary('group_norm_gradient', inputs)[0].shape),
  reference(inputs, { groups, eps }) {
    const [x, weight, g] = ternary('group_norm_gradient', inputs);
    const [batch, channels] = [x.shape[0]!, x.shape[1]!];
    const perGroup = x.data.length / (batch * groups);
    const positions = x.data.length / (batch * channels);
    const y = new Float64Array(x.data.length);
    for (let start = 0; start < x.data.length; start += perGroup) {
      const end = start + perGroup;
      let sum = 0;
      for (let i = start; i < end; i++) sum += x.data[i]!;
      const mean = sum / perGroup;
      let squares = 0;
      for (let i = start; i < end; i++) squares += (x.data[i]! - mean) ** 2;
      const reciprocal = 1 / Math.sqrt(squares / perGroup + eps);
      const h = (i: number) => g.data[i]! * weight.data[Math.floor(i / positions) % channels]!;
      const normalised = (i: number) => (x.data[i]! - mean) * reciprocal;
      let [ofH, ofProduct] = [0, 0];
      for (let i = start; i < end; i++) {
        ofH += h(i);
        ofProduct += h(i) * normalised(i);
      }
      for (let i = start; i < end; i++) {
        y[i] = reciprocal * (h(i) - ofH / perGroup - (normalised(i) * ofProduct) / perGroup);
      }
    }
    return { shape: x.shape, data: y };
  },
};
