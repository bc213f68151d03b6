// The text of each activation function and its slope, which prologues, epilogues and maps share.

import type { Activation } from '../ops/activations.ts';

/**
 * `below`, the normal distribution's share below v, and `tail`, exp(-v²/2). The polynomial is exact to 1.5e-7 (Abramowitz
 * and Stegun 1964, 7.1.26) and gives the smaller share, so that nothing cancels.
 */
const NORMAL = [
  '  let tail = exp(-0.5 * v * v);',
  '  let t = 1.0 / (1.0 + 0.3275911 * 0.70710678 * abs(v));',
  '  let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));',
  '  let smaller = 0.5 * series * tail;',
  '  let below = select(smaller, 1.0 - smaller, v > sign(v) * 0.0);',
] as const;

/** `gate`, tanh(ln(1 + exp(v))) as a quotient in which nothing overflows. */
const GATE = [
  '  let e = exp(-abs(v));',
  '  let up = v > sign(v) * 0.0;',
  '  let top = select(e * (e + 2.0), 1.0 + 2.0 * e, up);',
  '  let gate = top / (top + select(e * 0.0 + 2.0, 2.0 * e * e, up));',
] as const;

/** Lines that replace `v` by its activation. `v` is a vec4f, in kernels that compute single channels an f32. */
export const ACTIVATION_LINES = {
  silu: ['v = v / (1.0 + exp(-v)); // silu'],
  relu: ['v = max(v, sign(v) * 0.0); // relu'],
  gelu: ['{ // gelu', ...NORMAL, '  v = v * below;', '}'],
  mish: ['{ // mish', ...GATE, '  v = v * gate;', '}'],
} as const satisfies Readonly<Record<Activation, readonly string[]>>;

/** Lines that replace `v` by the slope of an activation function there. `v` is a vec4f. */
export const ACTIVATION_GRADIENT_LINES = {
  silu: ['let gate = 1.0 / (1.0 + exp(-v));', 'v = gate * (1.0 + v * (1.0 - gate)); // slope of silu'],
  relu: ['v = max(sign(v), sign(v) * 0.0); // slope of relu'],
  gelu: ['{ // slope of gelu', ...NORMAL, '  v = below + v * tail * 0.39894228;', '}'],
  mish: ['{ // slope of mish', ...GATE, '  v = gate + v * (1.0 - gate * gate) / (1.0 + exp(-v));', '}'],
} as const satisfies Readonly<Record<Activation, readonly string[]>>;

/** The lines of an activation function, none where there is none. */
export function activationLines(activation: Activation | null): readonly string[] {
  return activation === null ? [] : ACTIVATION_LINES[activation];
}
