// A tensor on the host: what goes into and comes out of a program, row-major.

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Number of elements of a shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}
