// What a file of arrays holds, whatever its format: samples, their labels, their small images.

import type { Labels, Rows } from './rows.ts';

export interface ArraySet {
  readonly kind: 'npz' | 'npy' | 'idx' | 'cifar' | 'safetensors';
  readonly images: Rows;
  readonly labels: Labels | null;
  /** What the labels are called, by their ids, where the data says. */
  readonly names: readonly string[] | null;
  /** Small images of a super-resolution model, where the data has them. */
  readonly low_res: Rows | null;
  /** Where the channels of a sample stand when both could be: NumPy's pictures have them last, tensors first. */
  readonly channels: 'first' | 'last';
  readonly notes: readonly string[];
  close(): void;
}
