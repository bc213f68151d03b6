// The activation functions: ops y = f(x) of one operand without attributes. Kernels compute each of them wherever a value
// is loaded or about to be stored, so a row here, its text in `codegen/activations.ts` and its row in
// `export/onnx-ops.ts` are all that an activation function is.

import { normal } from './normal.ts';

/** The meaning of an activation function. */
interface ActivationFunction {
  /** Floating-point operations an element. */
  readonly flops: number;
  /** The value for one element, in float64. */
  readonly f: (x: number) => number;
  /** Floating-point operations of the derivative, and its value, likewise. */
  readonly derivativeFlops: number;
  readonly derivative: (x: number) => number;
}

export const ACTIVATIONS = {
  /** x · sigmoid(x) = x / (1 + exp(-x)). Hendrycks and Gimpel 2016, arXiv:1606.08415. */
  silu: {
    flops: 4,
    f: (x) => x / (1 + Math.exp(-x)),
    derivativeFlops: 7,
    derivative: (x) => {
      const gate = 1 / (1 + Math.exp(-x));
      return gate * (1 + x * (1 - gate));
    },
  },
  /** max(x, 0); its derivative at 0 is 0, as PyTorch has it. */
  relu: { flops: 1, f: (x) => Math.max(x, 0), derivativeFlops: 1, derivative: (x) => (x > 0 ? 1 : 0) },
  /** x · Φ(x), Φ being the normal distribution's; not its approximation by tanh. Hendrycks and Gimpel 2016. */
  gelu: {
    flops: 16,
    f: (x) => x * normal(x),
    derivativeFlops: 20,
    derivative: (x) => normal(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  },
  /** x · tanh(ln(1 + exp(x))). Misra 2019, arXiv:1908.08681. */
  mish: {
    flops: 10,
    f: (x) => x * Math.tanh(softplus(x)),
    derivativeFlops: 16,
    derivative: (x) => {
      const gate = Math.tanh(softplus(x));
      return gate + (x * (1 - gate * gate)) / (1 + Math.exp(-x));
    },
  },
} as const satisfies Readonly<Record<string, ActivationFunction>>;

/** ln(1 + exp(x)). */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

export type Activation = keyof typeof ACTIVATIONS;

/** Whether the op named `op` is an activation function. */
export function isActivation(op: string): op is Activation {
  return Object.hasOwn(ACTIVATIONS, op);
}

/** One value for each activation function. */
export function ofActivations<T>(value: (activation: Activation) => T): Readonly<Record<Activation, T>> {
  const names = Object.keys(ACTIVATIONS).filter(isActivation);
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Activation, T>;
}
