// Every parameter of a graph, with the names, shapes and order of its checkpoints.

import { namingOf } from '../families/namings.ts';
import type { Parameter } from '../layers/part.ts';
import type { Graph } from './graph.ts';
import { graphModules } from './modules.ts';

export type { Parameter };

/**
 * All parameters in checkpoint order. Convolutions are [out, in, ...kernel], transposed ones [in, out, ...kernel], linear
 * layers [out, in].
 */
export function parameters(graph: Graph): readonly Parameter[] {
  const { compare } = namingOf(graph.naming);
  return graphModules(graph)
    .flatMap((module) => module.parameters.map(({ name, shape }) => ({ name, shape })))
    .toSorted((a, b) => compare(a.name, b.name));
}

/** Number of scalars in all parameters. */
export function parameterCount(graph: Graph): number {
  return parameters(graph).reduce((sum, p) => sum + p.shape.reduce((n, d) => n * d, 1), 0);
}
