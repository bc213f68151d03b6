// What training and evaluation read: batches of images with their labels and small images, from files or from the caller.

import { RuntimeError } from '../../runtime/errors.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';

/** Images as a model is to learn them. */
export interface Batch {
  /** [B, C, ...space], row-major float32, in [-1, 1] unless the graph clips elsewhere (`diffusion.clip_range`). */
  readonly x_start: Tensor;
  /** [B] class labels; given exactly when the model has classes. */
  readonly y?: ArrayLike<number>;
  /** [B, C, ...low-res space]; given exactly when the model is a super-resolution model. */
  readonly low_res?: Tensor;
  /** Which samples of the data these are, by their places in it, for those who report by sample. */
  readonly samples?: readonly number[];
}

/** How long whoever takes batches has waited for them, in milliseconds, both since the first one was there. */
export interface Waiting {
  readonly waited: number;
  readonly elapsed: number;
}

/** Batches one after the other. A loop that ends early gives back what prepares them. */
export interface BatchStream extends AsyncIterableIterator<Batch, undefined, undefined> {
  /** `waited / elapsed` is the share of time that the adapter had nothing to do for want of data. */
  waiting(): Waiting;
  return(): Promise<IteratorResult<Batch, undefined>>;
}

export interface StepRequest {
  /** Images in a batch. */
  readonly batch: number;
  /** The step to begin with. Default 0. */
  readonly from?: number | undefined;
  /** Aborted where the caller wants no more: what is awaited then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Where a run of training takes its batches from: a data set, or what a caller makes of its own. The same step must always
 * have the same batch, so that a run can go on from any step.
 */
export interface BatchSource {
  /** Batches of step `from`, of the one after it, and so on, without an end. */
  steps(request: StepRequest): BatchStream;
}

/** What a model takes of a batch. */
export interface Wanted {
  readonly channels: number;
  /** Slowest dimension first. */
  readonly space: readonly number[];
  /** Labels are below it; null where the model has no classes. */
  readonly classes: number | null;
  /** Size of the small images of a super-resolution model. */
  readonly low_res: readonly number[] | null;
  /** Values are in [-range, range]; null: they have no bound. */
  readonly range: number | null;
}

/**
 * Holds a caller's batch to what the model takes. Throws RuntimeError('input') with the first thing that is off;
 * `place` is what messages call the batch, such as `the batch of step 12`.
 */
export function checkBatch(batch: Batch, size: number, wanted: Wanted, place: string): void {
  const off = (message: string) => new RuntimeError('input', `${place}: ${message}`);
  const { classes, low_res } = wanted;
  if (typeof batch !== 'object' || batch === null) {
    throw off(`found ${batch}, expected { x_start } with what the model takes beside it`);
  }
  checkTensor('x_start', batch.x_start, [size, wanted.channels, ...wanted.space], off);
  checkValues('x_start', batch.x_start.data, wanted.range, off);
  if (classes === null && batch.y !== undefined)
    throw off('y is given, and the model has no classes; leave it out');
  if (classes !== null) {
    const labels = batch.y;
    if (labels?.length !== size) {
      throw off(`y has ${labels?.length ?? 0} labels, expected ${size}: the model has ${classes} classes`);
    }
    for (let i = 0; i < size; i++) {
      const label = labels[i]!;
      if (!Number.isInteger(label) || label < 0 || label >= classes) {
        throw off(`y[${i}] is ${label}; labels are whole numbers below the graph's ${classes} classes`);
      }
    }
  }
  if (low_res === null && batch.low_res !== undefined) {
    throw off('low_res is given, and the model is not for super-resolution; leave it out');
  }
  if (low_res === null) return;
  if (batch.low_res === undefined) throw off('low_res is missing, and the model is for super-resolution');
  checkTensor('low_res', batch.low_res, [size, wanted.channels, ...low_res], off);
  checkValues('low_res', batch.low_res.data, wanted.range, off);
}

function checkTensor(
  name: string,
  found: Tensor | undefined,
  expected: readonly number[],
  off: (message: string) => Error,
): void {
  // a caller's batch comes unchecked
  if (!Array.isArray(found?.shape) || !ArrayBuffer.isView(found.data)) {
    throw off(`${name} is no tensor, expected { shape: [${expected.join(', ')}], data: a Float32Array }`);
  }
  const { shape, data } = found;
  const fits = shape.length === expected.length && shape.every((size, i) => size === expected[i]);
  if (!fits) throw off(`${name} is [${shape.join(', ')}], expected [${expected.join(', ')}]`);
  if (data.length === elements(expected)) return;
  throw off(
    `${name} has ${data.length} values, and its shape [${shape.join(', ')}] has ${elements(expected)}`,
  );
}

function checkValues(
  name: string,
  data: Float32Array,
  range: number | null,
  off: (message: string) => Error,
): void {
  const wrong = valueOutside(data, range);
  if (wrong !== null) throw off(`${name} ${describeOutside(wrong, range)}`);
}

/** The place of the first value that is not finite or beyond the range, or null. */
export function valueOutside(
  data: ArrayLike<number>,
  range: number | null,
): { readonly at: number; readonly value: number } | null {
  // a sum of roundings may pass the bound by a little
  const most = range === null ? Number.MAX_VALUE : range * (1 + 1e-3);
  for (let at = 0; at < data.length; at++) {
    const value = data[at]!;
    if (!(Math.abs(value) <= most)) return { at, value };
  }
  return null;
}

/** What is wrong with a value that `valueOutside` found, and what to do. */
export function describeOutside({ at, value }: { at: number; value: number }, range: number | null): string {
  if (!Number.isFinite(value)) return `has ${value} at element ${at}; values must be finite`;
  return (
    `has ${value} at element ${at}, expected values in [-${range}, ${range}]; scale the data (bytes: x / 127.5 - 1), or ` +
    'set diffusion.clip_range of the graph for data of another range'
  );
}
