// The tensors of a checkpoint by name, whatever family they are of.

import type { Shape } from '../ops/op.ts';

/** Names and shapes, as a checkpoint has them. */
export type Tensors = ReadonlyMap<string, Shape>;

/** Tensors under their own names, and what was taken off each: `module.`, `model.`, mostly nothing. */
export interface BareTensors {
  readonly prefix: string;
  readonly all: Tensors;
}

/** Takes off what stands before `anchor`, a name that every model of the family has, where all names begin with it. */
export function withoutPrefix(tensors: Tensors, anchor: string): BareTensors {
  const names = [...tensors.keys()];
  const found = names.find((name) => name === anchor || name.endsWith(`.${anchor}`));
  const before = found?.slice(0, -anchor.length) ?? '';
  const prefix = names.every((name) => name.startsWith(before)) ? before : '';
  return {
    prefix,
    all: new Map([...tensors].map(([name, shape]) => [name.slice(prefix.length), shape])),
  };
}
