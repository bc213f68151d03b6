// A model as its callers see it, whatever computes it: a compiled program or the reference executor.

import type { InputSpec, OutputSpec } from './ports.ts';
import type { Tensor } from './tensor.ts';

/** What a port is given: a tensor, row-major float32, or a list of numbers for a port with one number a sample. */
export type PortValue = Tensor | ArrayLike<number>;

/** Inputs of one forward pass over a whole batch by the names of ports. */
export type ModelInputs = Readonly<Record<string, PortValue | undefined>>;

/** What the time path of one sample depends on: the number that each port of one number a sample is given. */
export type TimeRow = Readonly<Record<string, number>>;

/** What a model takes and gives, with sizes: enough to check inputs before anything runs. */
export interface ModelInterface {
  /** Samples in a pass. */
  readonly batch: number;
  readonly inputs: readonly InputSpec[];
  readonly outputs: readonly OutputSpec[];
}

export interface Model {
  readonly interface: ModelInterface;
  /** Passes that may be under way at once, so that the next one waits on the device and not on the host. Default 1. */
  readonly in_flight?: number;
  /** Computes ahead what the passes of a whole schedule will need of their timesteps and labels. */
  prepareTimes?(rows: Iterable<TimeRow>): Promise<void>;
  /** One forward pass. The result maps the names of the model's outputs. */
  run(inputs: ModelInputs): Promise<ReadonlyMap<string, Tensor>>;
  /**
   * Takes back outputs of `run` that nobody reads any longer: later passes write their own into the memory. Who does not give
   * them back keeps them for good.
   */
  reuse?(outputs: ReadonlyMap<string, Tensor>): void;
}
