// How checkpoints call what a model is made of. Layers name their parts in their own words, and a naming maps each to
// the names of a family's checkpoints; the same layers have other names in another family.

import type { PartTensor } from './part.ts';

/** The names of one module: `in_layers.0.weight` is the tensor `weight` of a part behind the module's own name. */
export interface ModuleNames<P extends string = string> {
  /** Where it is in the graph, whatever checkpoints call it: `input_blocks.3.0`, `out`. */
  readonly path: string;
  /** What the names of its parameters begin with; '' for nothing. */
  readonly prefix: string;
  /** What stands behind the prefix for each part; '' where the part is the module itself. */
  readonly parts: Readonly<Record<P, string>>;
}

/** The name of a parameter in a checkpoint. */
export function parameterName<P extends string>(
  { prefix, parts }: ModuleNames<P>,
  { part, tensor }: PartTensor<P>,
): string {
  return [prefix, parts[part], tensor].filter((name) => name !== '').join('.');
}
