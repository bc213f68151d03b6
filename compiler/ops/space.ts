// One, two or three spatial dimensions seen as three: the reference loops are written once, for depth, height, width.

import type { Shape } from './op.ts';

/** Depth, height and width; what is missing in front is `fill`. */
export type Space3 = readonly [number, number, number];

/** `values` per spatial dimension, slowest first, filled up to three in front. */
export function asSpace3(values: Shape, fill: number): Space3 {
  const [a, b, c] = [...Array<number>(3 - values.length).fill(fill), ...values];
  return [a!, b!, c!];
}

/** One value for depth, height and width each. */
export function map3(f: (dimension: 0 | 1 | 2) => number): Space3 {
  return [f(0), f(1), f(2)];
}
