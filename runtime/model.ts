// A denoising model as a sampler sees it, whatever computes it: a compiled program or the reference executor.

import type { Tensor } from './tensor.ts';

/** Inputs of one forward pass over a whole batch. */
export interface ModelInputs {
  /** [B, C, ...space], row-major float32. */
  readonly x: Tensor;
  /** [B], fractional values allowed. */
  readonly timesteps: ArrayLike<number>;
  /** [B] class labels; given exactly when the model has classes. */
  readonly y?: ArrayLike<number>;
  /** [B, C, ...low-res space]; given exactly when the model is a super-resolution model. */
  readonly low_res?: Tensor;
}

/** What the time path of one image depends on. */
export interface TimeRow {
  /** As the model takes it, float32. */
  readonly timestep: number;
  /** The class label; null where the model has no classes. */
  readonly label: number | null;
}

/** What a model takes, with sizes: enough to check inputs before anything runs. */
export interface ModelInterface {
  readonly batch: number;
  readonly in_channels: number;
  readonly out_channels: number;
  readonly image_size: readonly number[];
  readonly num_classes: number | null;
  readonly low_res_size: readonly number[] | null;
}

export interface Model {
  readonly interface: ModelInterface;
  /** Passes that may be under way at once, so that the next one waits on the device and not on the host. Default 1. */
  readonly in_flight?: number;
  /** Computes ahead what the passes of a whole schedule will need of their timesteps and labels. */
  prepareTimes?(rows: Iterable<TimeRow>): Promise<void>;
  /** One forward pass. The result maps `output`, and where compiled with taps `down.i`, `middle`, `up.i`. */
  run(inputs: ModelInputs): Promise<ReadonlyMap<string, Tensor>>;
}
