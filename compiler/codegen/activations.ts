// The text of each activation function, which prologues, epilogues and maps share.

import type { Activation } from '../ops/activations.ts';

/** Lines that replace `v` by its activation. `v` is a vec4f, in kernels that compute single channels an f32. */
export const ACTIVATION_LINES = {
  silu: ['v = v / (1.0 + exp(-v)); // silu'],
} as const satisfies Readonly<Record<Activation, readonly string[]>>;

/** The lines of an activation function, none where there is none. */
export function activationLines(activation: Activation | null): readonly string[] {
  return activation === null ? [] : ACTIVATION_LINES[activation];
}
