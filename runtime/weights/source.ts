// Where weights come from: a checkpoint file or a formula, behind one interface.

import type { Scratch } from '../scratch.ts';

/** Name and shape of one tensor in a checkpoint. */
export interface TensorInfo {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What of which file is meant, and what to call it. */
export interface CheckpointAddress {
  /** The words of the caller: `FILE`, or `FILE#KEY`. */
  readonly label: string;
  readonly file: string;
  /** The state dict or the prefix of names in it, or null for the one that there is. */
  readonly key: string | null;
}

/** A source of named float32 tensors. */
export interface WeightSource {
  /** What to call the source in messages: a path, or `hash:1`. */
  readonly label: string;
  /** What to write in front of a prefix of its names to have the tensors under it: `FILE#`. Absent where there is no way. */
  readonly stem?: string;
  /** The tensors it holds in checkpoint order, or null where it can make any tensor that is asked for. */
  readonly tensors: readonly TensorInfo[] | null;
  /** What its user should be told, such as which dict of a training checkpoint was taken. */
  readonly notes?: readonly string[];
  /**
   * The values of a tensor, row-major. The shape was matched before; the caller must not write to the result. It may lie
   * in `scratch` where one is given.
   */
  read(name: string, shape: readonly number[], scratch?: Scratch): Float32Array;
  /** Releases file handles and memory. */
  close(): void;
}
