// NaN and infinities, found by their bits before anything is clamped: a clamp makes infinities white, and a picture
// makes NaN black.

import { RuntimeError } from '../errors.ts';
import type { ModelInputs } from '../model.ts';
import type { DiffusionProcess } from './process.ts';

/** All bits of the exponent: set exactly in NaN and the infinities. */
const EXPONENT = 0x7f800000;

/** Where in a run values are looked at. */
export interface Place {
  readonly process: DiffusionProcess;
  readonly index: number;
  readonly seed: number;
  /** [C, ...space] of a sample. */
  readonly shape: readonly number[];
  /** What the model was given, where the values are its output. */
  readonly inputs?: ModelInputs;
}

/** The first element that is NaN or infinite, or -1. */
export function firstBad(values: Float32Array): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i]! & EXPONENT) === EXPONENT) return i;
  }
  return -1;
}

/** A value that is not finite, which stops a run. The message says at which step, in which sample and where. */
export class NotFinite extends RuntimeError {
  constructor(
    message: string,
    /** Of the pass that gave it; absent where a step made it of finite values. */
    readonly inputs?: ModelInputs,
  ) {
    super('gpu', message);
  }
}

/** @throws NotFinite at the first NaN or infinity */
export function checkFinite(values: Float32Array, what: string, place: Place): void {
  const bad = firstBad(values);
  if (bad < 0) return;
  const { process, index, seed, shape, inputs } = place;
  const count = values.reduce((n, value) => (Number.isFinite(value) ? n : n + 1), 0);
  const steps = process.timestep_map.length;
  throw new NotFinite(
    `step ${steps - index} of ${steps} (timestep ${process.timestep_map[index]}), sample of seed ${seed}: ` +
      `${what} is ${values[bad]} at [${coordinates(bad, shape).join(', ')}], ${count} of ${values.length} values are ` +
      'not finite; check the weights, find the kernel with `unetc sample --debug-nan`, and run the same inputs with ' +
      '`unetc run --reference`',
    inputs,
  );
}

/** Coordinates of element `i` of a tensor whose dimensions after the first are those of `shape`. */
function coordinates(i: number, shape: readonly number[]): readonly number[] {
  const place: number[] = [];
  let rest = i;
  for (const size of shape.slice(1).toReversed()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return [rest, ...place];
}
