// y[b, n] = Σ_k x[b, k] · weight[n, k] + bias[n].

import { NO_MACS, type OpDef, type TensorType } from './op.ts';
import { demand, demandFloat, demandShape, formatType, ternary } from './operands.ts';

interface Sizes {
  readonly batch: number;
  readonly from: number;
  readonly to: number;
}

function sizes(inputs: readonly TensorType[]): Sizes {
  const [x, weight, bias] = ternary('linear', inputs);
  demandFloat('linear', 'x', x);
  demand(x.shape.length === 2, 'linear', () => `x must be [batch, features], got ${formatType(x)}`);
  const [batch, from] = [x.shape[0]!, x.shape[1]!];
  const to = weight.shape[0] ?? 0;
  demandShape('linear', 'weight', weight, [to, from]);
  demandShape('linear', 'bias', bias, [to]);
  return { batch, from, to };
}

export const linear: OpDef<'linear'> = {
  infer(inputs) {
    const { batch, to } = sizes(inputs);
    return { dtype: inputs[0]!.dtype, shape: [batch, to] };
  },
  macs(inputs) {
    const { batch, from, to } = sizes(inputs);
    return { ...NO_MACS, linear: batch * from * to };
  },
  flops(inputs) {
    const { batch, from, to } = sizes(inputs);
    return batch * to * (2 * from + 1);
  },
  reference(inputs) {
    const [x, weight, bias] = ternary('linear', inputs);
    const [batch, from, to] = [x.shape[0]!, x.shape[1]!, weight.shape[0]!];
    const data = new Float64Array(batch * to);
    for (let b = 0; b < batch; b++) {
      for (let n = 0; n < to; n++) {
        let sum = bias.data[n]!;
        for (let k = 0; k < from; k++) sum += x.data[b * from + k]! * weight.data[n * from + k]!;
        data[b * to + n] = sum;
      }
    }
    return { shape: [batch, to], data };
  },
};
