// A batch in parts of a fixed number of samples, whose gradients add up to those of the batch. What a last part lacks is filled
// with samples that count nothing.

import type { PortValue } from '../model.ts';
import { listOf } from '../port-values.ts';
import type { DropoutDraw } from './dropout.ts';
import type { TrainingBatch } from './loss-inputs.ts';

/** A part of a batch. */
export interface Microbatch {
  readonly batch: TrainingBatch;
  /** The number of its first sample in the batch, and how many of its samples are the batch's. */
  readonly first: number;
  readonly count: number;
}

/**
 * The parts of a batch, `size` samples each. A gradient of a part is the mean over its samples, and that of a batch the mean
 * over all: weights are scaled by what a part is of the batch.
 * @param scale of the loss
 */
export function microbatches(batch: TrainingBatch, size: number, scale = 1): readonly Microbatch[] {
  const total = batch.timesteps.length;
  const given = batch.weights ?? Array.from({ length: total }, () => 1);
  const weights = scale === 1 ? given : Array.from(given, (weight) => weight * scale);
  if (total === size) return [{ batch: scale === 1 ? batch : { ...batch, weights }, first: 0, count: total }];
  const { x_start, noise, y, low_res, dropout } = batch;
  return Array.from({ length: Math.ceil(total / size) }, (_, part) => {
    const first = part * size;
    const count = Math.min(size, total - first);
    const rows = (value: PortValue) => rowsOf(value, total, first, size);
    return {
      ...{ first, count },
      batch: {
        x_start: rows(x_start),
        noise: rows(noise),
        timesteps: Array.from({ length: size }, (_, i) => batch.timesteps[first + i] ?? 0),
        weights: Array.from({ length: size }, (_, i) => ((weights[first + i] ?? 0) * size) / total),
        ...(y === undefined ? {} : { y: rows(y) }),
        ...(low_res === undefined ? {} : { low_res: rows(low_res) }),
        ...(dropout === undefined ? {} : { dropout: drawFrom(dropout, first) }),
      },
    };
  });
}

/** Samples keep the numbers that they have in the whole batch. */
function drawFrom({ first_sample = 0, ...draw }: DropoutDraw, from: number): DropoutDraw {
  return { ...draw, first_sample: first_sample + from };
}

/** Rows of a value from `first` on, `size` of them: zeros for those that it does not have. */
function rowsOf(value: PortValue, total: number, first: number, size: number): PortValue {
  const list = listOf(value);
  const row = list.length / total;
  const data = new Float32Array(size * row);
  const end = Math.min(list.length, (first + size) * row);
  for (let i = first * row; i < end; i++) data[i - first * row] = list[i]!;
  if (!('data' in value)) return data;
  return { shape: [size, ...value.shape.slice(1)], data };
}
