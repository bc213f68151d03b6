// Where the tensors of a checkpoint are not those of a graph, each misfit with the layer that it belongs to.

import type { Graph, Layer } from '../graph/graph.ts';
import { parameters } from '../graph/parameters.ts';
import { printLayer } from '../graph/print.ts';
import type { Tensors } from './tensors.ts';

export interface Misfit {
  readonly kind: 'missing' | 'unexpected' | 'shape';
  readonly name: string;
  /** What the graph has; null where it has no such tensor. */
  readonly expected: readonly number[] | null;
  /** What the checkpoint has; null where it has no such tensor. */
  readonly found: readonly number[] | null;
}

/** Every misfit: in the graph's order, then what is too much in the checkpoint's. */
export function findMisfits(graph: Graph, tensors: Tensors): readonly Misfit[] {
  const wanted = parameters(graph);
  const known = new Set(wanted.map(({ name }) => name));
  const misfits = wanted.flatMap(({ name, shape }): readonly Misfit[] => {
    const found = tensors.get(name);
    if (found === undefined) return [{ kind: 'missing', name, expected: shape, found: null }];
    const same = found.length === shape.length && found.every((n, axis) => n === shape[axis]);
    return same ? [] : [{ kind: 'shape', name, expected: shape, found }];
  });
  const others = [...tensors].filter(([name]) => !known.has(name));
  return [
    ...misfits,
    ...others.map(([name, found]): Misfit => ({ kind: 'unexpected', name, expected: null, found })),
  ];
}

/** Path of the layer, or of the part beside the blocks, that a tensor belongs to. */
export function pathOf(name: string): string {
  return (
    /^((input|output)_blocks\.\d+\.\d+|middle_block\.\d+|time_embed|label_emb|out)\./.exec(name)?.[1] ?? name
  );
}

/** A layer as shapes tell it: without its heads and its dropout. */
export function toldLayer(layer: Layer): string {
  return printLayer(layer).replace(/ (heads|dropout) [\d.]+/g, '');
}
