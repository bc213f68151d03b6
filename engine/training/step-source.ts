// Where the batches of a run come from: data with noise and timesteps drawn for each step, or a file that has all of it.

import { RuntimeError } from '../../runtime/errors.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';
import type { TrainingBatch } from '../../runtime/training/loss-inputs.ts';
import { drawTimesteps } from '../../runtime/training/timestep-sampler.ts';
import { trainingNoise } from '../../runtime/training/training-noise.ts';
import { type Batch, type BatchSource, checkBatch, type Waiting, type Wanted } from '../data/batch.ts';

/** A batch with its timesteps and weights as lists, for the log. */
export interface StepBatch extends TrainingBatch {
  readonly weights: ArrayLike<number>;
  /** Which samples of the data these are, where that is known. */
  readonly samples?: readonly number[] | undefined;
}

/** A batch whose timesteps are not drawn yet: they may depend on the losses of the step before. */
export type Prepared = (chances: Float64Array | null) => StepBatch;

/** Batches of one step after the other. */
export interface StepSource {
  /** Prepares the batch of the next step. */
  next(): Promise<Prepared>;
  /** How long whoever takes batches has waited for data. */
  waiting(): Waiting;
  close(): Promise<void>;
}

export interface DrawSettings {
  readonly seed: number;
  readonly batch: number;
  /** Steps of the diffusion process. */
  readonly timesteps: number;
}

/** Batches of data, from step `from` on. Rejects with RuntimeError('input') where a batch does not fit the model. */
export function drawnSteps(
  data: BatchSource,
  wanted: Wanted,
  { seed, batch, timesteps }: DrawSettings,
  { from, signal }: { readonly from: number; readonly signal?: AbortSignal | undefined },
): StepSource {
  const stream = data.steps({ batch, from, signal });
  let step = from;
  return {
    async next() {
      const number = step++;
      const { done, value } = await stream.next();
      if (done) {
        throw new RuntimeError(
          'input',
          `the data ends at step ${number}; give batches for every step of the run`,
        );
      }
      checkBatch(value, batch, wanted, `the batch of step ${number}`);
      const length = elements(value.x_start.shape.slice(1));
      const noise = { shape: value.x_start.shape, data: trainingNoise(seed, number, batch, length) };
      return (chances) => withDraws(value, noise, drawTimesteps(seed, number, batch, timesteps, chances));
    },
    waiting: () => stream.waiting(),
    async close() {
      await stream.return();
    },
  };
}

function withDraws(
  { x_start, y, low_res, samples }: Batch,
  noise: Tensor,
  { timesteps, weights }: ReturnType<typeof drawTimesteps>,
): StepBatch {
  return {
    ...{ x_start, noise, timesteps, weights, samples },
    ...(y === undefined ? {} : { y }),
    ...(low_res === undefined ? {} : { low_res }),
  };
}
