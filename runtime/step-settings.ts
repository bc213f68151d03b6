// The numbers by which a step changes parameters, in the order in which kernels read them: those of AdamW, of the gradients'
// scale, then for each moving average its rate and what is left of it to one. The host computes them in float64, as PyTorch
// does, and writes float32.
//
//   p ← decay · p;   m ← b₁ m + (1 - b₁) g;   v ← b₂ v + (1 - b₂) g²;   p ← p - size · m / (√v / √(1 - b₂ᵗ) + ε)
//   decay = 1 - lr · weight_decay,   size = lr / (1 - b₁ᵗ),   average ← rate · average + (1 - rate) · p
//
// Source: Loshchilov and Hutter 2019, arXiv:1711.05101; torch/optim/adamw.py of PyTorch 1.13.

export const STEP_NUMBERS = [
  'decay',
  'beta1',
  'beta1_rest',
  'beta2',
  'beta2_rest',
  'root_correction',
  'epsilon',
  'step_size',
  'unscale', // one over the loss's scale
  'largest_norm', // of the gradients: larger ones are scaled down to it
] as const;

/** Where the rates of moving averages begin: at a whole vector. */
export const RATES_AT = Math.ceil(STEP_NUMBERS.length / 4) * 4;

/** How many numbers there are with so many moving averages, filled up to whole vectors. */
export function settingsLength(averages: number): number {
  return RATES_AT + Math.ceil((2 * averages) / 4) * 4;
}
