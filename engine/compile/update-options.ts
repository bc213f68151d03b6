// What a step of training does to the parameters of a graph: the words of its settings held against the names that the graph
// has. Apart from these words, which every command reads before it knows of any graph.

import type { Graph } from '../../compiler/graph/graph.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import type { UpdateOptions } from '../../compiler/schedule/update.ts';
import { frozenBy } from './freeze.ts';
import type { TrainingStepSettings } from './training-step.ts';

/** The compiler's options, with the names of what is frozen. Throws UsageError where a pattern matches nothing, or all. */
export function updateOptions(graph: Graph, { freeze, ...update }: TrainingStepSettings): UpdateOptions {
  if (freeze === undefined || freeze.length === 0) return update;
  const named = new Set([...(update.frozen ?? []), ...frozenBy(freeze, graph)]);
  const frozen = parameters(graph).flatMap(({ name }) => (named.has(name) ? [name] : []));
  return { ...update, frozen };
}
