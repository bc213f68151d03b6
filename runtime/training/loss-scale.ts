// The loss's scale in float16: gradients are computed of the loss times 2^s, so that small ones are no zeros, and divided by it
// when they are used. It grows while gradients are finite, and halves where one overflowed, which is a step that changes nothing.
//
// Source: guided-diffusion, fp16_util.py (INITIAL_LOG_LOSS_SCALE, MixedPrecisionTrainer); improved-diffusion, train_util.py.

/** The first logarithm to base 2 of the scale, and what a step that is taken adds to it: the original's. */
export const INITIAL_LOG_SCALE = 20;
export const LOG_SCALE_GROWTH = 1e-3;

/** Where it ends: gradients that overflow without a scale overflow for good. The original falls forever. */
export const LEAST_LOG_SCALE = 0;

/** Steps in a row whose loss is not finite, after which a run ends: no scale of the loss changes what the forward pass gives. */
export const MOST_BAD_LOSSES = 3;

export interface LossScale {
  /** The logarithm to base 2. */
  readonly lg: number;
  /** Steps in a row, up to the last one, whose loss was not finite. */
  readonly bad_losses: number;
}

/** A scale with which no step was taken yet. */
export function lossScale(lg = INITIAL_LOG_SCALE): LossScale {
  return { lg, bad_losses: 0 };
}

/** What is known of a step: whether its gradients were finite, and parameters changed; and whether its losses were. */
export interface ScaledStep {
  readonly taken: boolean;
  readonly finite: boolean;
}

/** The scale behind a step; null where none is left to be tried. */
export function nextLossScale(
  { lg, bad_losses }: LossScale,
  { taken, finite }: ScaledStep,
  growth = LOG_SCALE_GROWTH,
): LossScale | null {
  if (taken && finite) return lossScale(lg + growth);
  const bad = finite ? 0 : bad_losses + 1;
  if (lg <= LEAST_LOG_SCALE || bad >= MOST_BAD_LOSSES) return null;
  return { lg: Math.max(LEAST_LOG_SCALE, lg - 1), bad_losses: bad };
}
