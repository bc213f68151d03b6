// The text of each activation function and its slope, which prologues, epilogues and maps share.

import type { Activation } from '../ops/activations.ts';

/** Lines that replace `v` by its activation. `v` is a vec4f, in kernels that compute single channels an f32. */
export const ACTIVATION_LINES = {
  silu: ['v = v / (1.0 + exp(-v)); // silu'],
  relu: ['v = max(v, sign(v) * 0.0); // relu'],
} as const satisfies Readonly<Record<Activation, readonly string[]>>;

/** Lines that replace `v` by the slope of an activation function there. `v` is a vec4f. */
export const ACTIVATION_GRADIENT_LINES = {
  silu: ['let gate = 1.0 / (1.0 + exp(-v));', 'v = gate * (1.0 + v * (1.0 - gate)); // slope of silu'],
  relu: ['v = max(sign(v), sign(v) * 0.0); // slope of relu'],
} as const satisfies Readonly<Record<Activation, readonly string[]>>;

/** The lines of an activation function, none where there is none. */
export function activationLines(activation: Activation | null): readonly string[] {
  return activation === null ? [] : ACTIVATION_LINES[activation];
}
