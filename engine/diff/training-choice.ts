// How a diff compares training: the step that both graphs are compiled to, as a caller asks for it.

import type { Precision } from '../../compiler/precision.ts';
import { checkSettings } from '../compile/model-settings.ts';
import { refuseAlone } from '../compile/training-step.ts';

export interface TrainingChoice {
  /** Samples that are computed at once. */
  readonly batch: number;
  /** Moving averages of the parameters. */
  readonly averages: number;
  /** How activations and their gradients are stored. */
  readonly precision: Precision;
  /** The most bytes that a step may take on the device; undefined for as many as it does. */
  readonly memory: number | undefined;
}

/** As callers give it. */
export interface TrainingRequest {
  /** Whether training is compared at all. */
  readonly train: boolean | undefined;
  readonly batch: number | undefined;
  readonly averages: number | undefined;
  readonly precision: Precision | undefined;
  readonly memory: number | undefined;
}

/** The choice with its defaults; null where nobody asks. Throws UsageError for an option that is off, or is of no use. */
export function trainingChoice({ train = false, ...asked }: TrainingRequest): TrainingChoice | null {
  const { batch = 16, averages = 1, precision = 'f32', memory } = asked;
  if (train) {
    checkSettings({ batch, precision, memory, trainingStep: { averages, accumulates: false } });
    return { batch, averages, precision, memory };
  }
  refuseAlone(asked);
  return null;
}
