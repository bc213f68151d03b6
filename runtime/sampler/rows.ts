// Rows of a batch: samples as one tensor, and a model's outputs as samples again.

import { elements, type Tensor } from '../tensor.ts';

/** [B, ...shape], written to `data`; rows past the last one repeat it. */
export function stackRows(
  batch: number,
  shape: readonly number[],
  rows: readonly Float32Array[],
  data = new Float32Array(batch * elements(shape)),
): Tensor {
  const length = elements(shape);
  for (let k = 0; k < batch; k++) data.set(atRow(rows, k), k * length);
  return { shape: [batch, ...shape], data };
}

/** A row; past the last one that. */
export function atRow<T>(rows: readonly T[], k: number): T {
  return rows[Math.min(k, rows.length - 1)]!;
}

/** The rows of one of a model's outputs, which is [B, ...]. */
export function outputRows(
  results: ReadonlyMap<string, Tensor>,
  name: string,
  [batch = 1, ...shape]: readonly number[],
): readonly Float32Array[] {
  const found = results.get(name);
  const length = elements(shape);
  if (found === undefined || found.data.length !== batch * length) {
    throw new Error(`internal: the model gave no ${name} of [${batch}, ${length}] values`);
  }
  return Array.from({ length: batch }, (_, k) => found.data.subarray(k * length, (k + 1) * length));
}
