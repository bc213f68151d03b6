// Ops that compute each element from the same element of their operands: one row each.

import { ACTIVATIONS, type Activation, ofActivations } from './activations.ts';
import { NO_MACS, type OpDef, type RefTensor, sizeOf, type TensorType } from './op.ts';
import { binary, demand, demandFloat, formatType, sameShape, unary } from './operands.ts';

type UnaryName = Activation | 'dropout';

/** An op y_i = f(x_i) with `flops` floating-point operations an element. */
function pointwise<N extends UnaryName>(op: N, flops: number, f: (x: number) => number): OpDef<N> {
  return {
    infer(inputs) {
      const [x] = unary(op, inputs);
      demandFloat(op, 'x', x);
      return x;
    },
    macs: () => NO_MACS,
    flops: (inputs) => flops * sizeOf(unary(op, inputs)[0].shape),
    reference(inputs): RefTensor {
      const [x] = unary(op, inputs);
      return { shape: x.shape, data: x.data.map(f) };
    },
  };
}

/** The activation functions. */
export const activations = ofActivations((op) => pointwise(op, ACTIVATIONS[op].flops, ACTIVATIONS[op].f));

/** Identity: at inference nothing is dropped. */
export const dropout = pointwise('dropout', 0, (x) => x);

/** a + b. */
export const add: OpDef<'add'> = {
  infer(inputs): TensorType {
    const [a, b] = binary('add', inputs);
    demandFloat('add', 'a', a);
    demand(
      a.dtype === b.dtype && sameShape(a.shape, b.shape),
      'add',
      () => `operands must be of one type, got ${formatType(a)} and ${formatType(b)}`,
    );
    return a;
  },
  macs: () => NO_MACS,
  flops: (inputs) => sizeOf(binary('add', inputs)[0].shape),
  reference(inputs): RefTensor {
    const [a, b] = binary('add', inputs);
    const data = new Float64Array(a.data.length);
    for (let i = 0; i < data.length; i++) data[i] = a.data[i]! + b.data[i]!;
    return { shape: a.shape, data };
  },
};
