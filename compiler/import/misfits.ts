// Where the tensors of a checkpoint are not those of a graph, each misfit with the layer that it belongs to.

import type { Tensors } from '../families/tensors.ts';
import type { Graph } from '../graph/graph.ts';
import { parameters } from '../graph/parameters.ts';
import { isUntold } from '../layers/fact.ts';
import type { Layer } from '../layers/index.ts';
import { printLayer } from '../layers/queries.ts';

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

/** A layer as shapes tell it: without its heads, its dropout and the like. */
export function toldLayer(layer: Layer): string {
  return printLayer(layer, (fact) => !isUntold(fact));
}
