// Ops that compute each element from the same element of their operands: one row each.

import { ACTIVATIONS, type Activation, isActivation, ofActivations } from './activations.ts';
import { NO_MACS, type OpAttrs, type OpDef, type RefTensor, sizeOf, type TensorType } from './op.ts';
import { binary, demand, demandFloat, formatType, sameShape, unary } from './operands.ts';

type UnaryName = Activation | 'dropout' | 'scale' | 'rescale';

/** An op y_i = f(x_i) with `flops` floating-point operations an element. */
function pointwise<N extends UnaryName>(
  op: N,
  flops: number,
  f: (x: number, attrs: OpAttrs[N]) => number,
): OpDef<N> {
  return {
    infer(inputs) {
      const [x] = unary(op, inputs);
      demandFloat(op, 'x', x);
      return x;
    },
    macs: () => NO_MACS,
    flops: (inputs) => flops * sizeOf(unary(op, inputs)[0].shape),
    reference(inputs, attrs): RefTensor {
      const [x] = unary(op, inputs);
      return { shape: x.shape, data: x.data.map((value) => f(value, attrs)) };
    },
  };
}

/** The activation functions. */
export const activations = ofActivations((op) => pointwise(op, ACTIVATIONS[op].flops, ACTIVATIONS[op].f));

/** Identity: at inference nothing is dropped. */
export const dropout = pointwise('dropout', 0, (x) => x);

/** factor · x. */
export const scale = pointwise('scale', 1, (x, { factor }) => factor * x);

/** factor · x + offset. */
export const rescale = pointwise('rescale', 2, (x, { factor, offset }) => factor * x + offset);

type BinaryName = 'add' | 'multiply' | 'activation_gradient';

/** An op y_i = f(a_i, b_i) of two values of one type. */
function pairwise<N extends BinaryName>(
  op: N,
  flops: (attrs: OpAttrs[N]) => number,
  f: (attrs: OpAttrs[N]) => (a: number, b: number) => number,
): OpDef<N> {
  return {
    infer(inputs): TensorType {
      const [a, b] = binary(op, inputs);
      demandFloat(op, 'a', a);
      demand(
        a.dtype === b.dtype && sameShape(a.shape, b.shape),
        op,
        () => `operands must be of one type, got ${formatType(a)} and ${formatType(b)}`,
      );
      return a;
    },
    macs: () => NO_MACS,
    flops: (inputs, attrs) => flops(attrs) * sizeOf(binary(op, inputs)[0].shape),
    reference(inputs, attrs): RefTensor {
      const [a, b] = binary(op, inputs);
      const of = f(attrs);
      return { shape: a.shape, data: a.data.map((value, i) => of(value, b.data[i]!)) };
    },
  };
}

/** a + b. */
export const add = pairwise(
  'add',
  () => 1,
  () => (a, b) => a + b,
);

/** a · b. */
export const multiply = pairwise(
  'multiply',
  () => 1,
  () => (a, b) => a * b,
);

/** f'(x) · g of an activation function f. */
export const activation_gradient: OpDef<'activation_gradient'> = {
  ...pairwise(
    'activation_gradient',
    ({ of }) => ACTIVATIONS[of].derivativeFlops + 1,
    ({ of }) => {
      const { derivative } = ACTIVATIONS[of];
      return (x, g) => derivative(x) * g;
    },
  ),
  infer(inputs, { of }) {
    demand(isActivation(of), 'activation_gradient', () => `${of} is no activation function`);
    return add.infer(inputs, {});
  },
};
