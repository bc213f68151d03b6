// What a loop of training asks of whatever computes its steps: losses and gradients of a batch, the change of the parameters,
// and all that changes from step to step, to be kept and put back.

import type { Tensor } from '../tensor.ts';
import type { TrainingBatch } from './loss-inputs.ts';

/** What lives from step to step, each a tensor for every parameter, in its shape. */
export type TrainedTensors =
  | { readonly kind: 'parameters' | 'exp_avg' | 'exp_avg_sq' }
  /** The moving average of the rate at this position of the list of rates. */
  | { readonly kind: 'ema'; readonly index: number };

/** What a step depends on beside its batch and what lives on. */
export interface StepSettings {
  /** Counts the updates from 1: what AdamW corrects its means by. */
  readonly update: number;
  readonly learning_rate: number;
  readonly weight_decay: number;
  readonly ema_rates: readonly number[];
  /** The largest norm of the gradients: larger ones are scaled down to it. Not given: as large as they are. */
  readonly max_grad_norm?: number | undefined;
  /** What the loss is multiplied by while its gradients are computed; 1 where not given. */
  readonly loss_scale?: number | undefined;
  /** What dropout's masks are drawn by: the run's seed, and the number of the batch, from 0. */
  readonly seed: number;
  readonly step: number;
}

export interface StepResult {
  /** The terms of the loss (`loss`, and `mse` and `vb` as far as the loss has them), a value a sample, unweighted. */
  readonly losses: Readonly<Record<string, Float32Array>>;
  /** The root of the sum of squares over all gradients, before they are scaled down to the largest norm. */
  readonly grad_norm: number;
  /** Whether anything changed: where gradients are not finite nothing does. */
  readonly taken: boolean;
}

/** What a pass that is computed once more says of the first value that is not finite. */
export interface BadPass {
  /** The kernel that made it, in words; null where none did. */
  readonly kernel: string | null;
  /** Whether no parameter had changed. Those that had were taken back, which leaves the rounding of their change. */
  readonly exact: boolean;
}

/** A model in training. Calls take their turn. */
export interface TrainingStep {
  /** In checkpoint order. */
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Those of them that stay as they are: they have no moments, and their moving averages are they. */
  readonly frozen: ReadonlySet<string>;
  /** Samples that are computed at once: the batch of a step may be any number, and is cut into parts of this many. */
  readonly microbatch: number;
  /** For messages and logs: the adapter's name, and the bytes that the step takes on it. */
  readonly adapter: string;
  readonly bytes: number;
  /**
   * Computes the losses of a batch and their gradients, the mean over its samples each times its weight, and changes the
   * parameters by AdamW and every moving average. Throws RuntimeError('input', 'gpu').
   */
  step(batch: TrainingBatch, settings: StepSettings): Promise<StepResult>;
  /** The tensors as the steps so far leave them, by the names of the parameters; no moments of frozen ones. */
  read(which: TrainedTensors): Promise<ReadonlyMap<string, Tensor>>;
  /**
   * Computes the pass of the last step once more, over its batch and by the parameters that it began with, for the first kernel
   * that made a NaN or an infinity; changes nothing. Absent without a GPU.
   */
  readonly findBadKernel?: ((batch: TrainingBatch, settings: StepSettings) => Promise<BadPass>) | undefined;
  /** Puts tensors of every parameter in their place; moments and averages of frozen ones may be missing, and are left alone. */
  write(which: TrainedTensors, tensors: ReadonlyMap<string, Tensor>): Promise<void>;
  close(): Promise<void>;
}
