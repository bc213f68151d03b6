// What the loss of a sample takes from the tables of its process: a row of numbers for its timestep, which the host writes.

/** The columns of a row, in order. */
export const LOSS_COEFFICIENTS = [
  // x_t = signal * x_start + noise * the noise
  'signal',
  'noise',
  // the target that is neither: target_x_start * x_start + target_other times x_t (the mean of q(x_{t-1} | x_t, x_0)) or
  // the noise (the velocity)
  'target_x_start',
  'target_other',
  // the means of q and of the model differ by mean_per_error * (output - target)
  'mean_per_error',
  // logarithm of the variance of q, and of the model's: fixed, or the upper end of its range
  'log_posterior',
  'log_variance',
  // 1 at timestep 0, where the bound is a likelihood, else 0
  'is_first',
] as const;

export type LossCoefficient = (typeof LOSS_COEFFICIENTS)[number];
