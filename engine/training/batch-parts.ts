// A part of a training batch: some of its samples, in their order.

import type { PortValue } from '../../runtime/model.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import type { DropoutDraw } from '../../runtime/training/dropout.ts';
import type { TrainingBatch } from '../../runtime/training/loss-inputs.ts';

/** Samples `from` to `until`, that one not among them, with all that belongs to them. */
export function partOf(batch: TrainingBatch, from: number, until: number): TrainingBatch {
  const { x_start, noise, timesteps, weights, y, low_res, dropout } = batch;
  const count = timesteps.length;
  if (from === 0 && until === count) return batch;
  const some = (values: ArrayLike<number>) => Array.prototype.slice.call(values, from, until) as number[];
  const rows = (value: PortValue): PortValue =>
    isTensor(value) ? rowsOf(value, count, from, until) : some(value);
  return {
    x_start: rows(x_start),
    noise: rows(noise),
    timesteps: some(timesteps),
    ...(weights === undefined ? {} : { weights: some(weights) }),
    ...(y === undefined ? {} : { y: rows(y) }),
    ...(low_res === undefined ? {} : { low_res: rows(low_res) }),
    ...(dropout === undefined ? {} : { dropout: drawFrom(dropout, from) }),
  };
}

/** Samples keep the numbers that they have in the whole batch. */
function drawFrom({ first_sample = 0, ...draw }: DropoutDraw, from: number): DropoutDraw {
  return { ...draw, first_sample: first_sample + from };
}

function isTensor(value: PortValue): value is Tensor {
  return 'shape' in value;
}

function rowsOf({ shape, data }: Tensor, count: number, from: number, until: number): Tensor {
  const each = data.length / count;
  return { shape: [until - from, ...shape.slice(1)], data: data.subarray(from * each, until * each) };
}
