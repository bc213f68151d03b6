// A checkpoint as a side of a diff: the graph that its names and shapes tell, without what they do not.

import { GraphError } from '../../compiler/diagnostics.ts';
import { type DiffSide, sideOfGraph, type UnknownFact } from '../../compiler/diff/side.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { graphModules } from '../../compiler/graph/modules.ts';
import { inferGraph } from '../../compiler/import/infer.ts';
import { isUntold } from '../../compiler/layers/fact.ts';

/** The side of these tensors, and a note on what is not compared. One of another family has its parameters alone. */
export function sideOfTensors(
  tensors: ReadonlyMap<string, readonly number[]>,
  label: string,
): { readonly side: DiffSide; readonly note: string } {
  try {
    const { graph, undetermined } = inferGraph(tensors, { file: label });
    const options = untoldOptions(graph);
    const unknown = new Set(['name', ...undetermined.flatMap(({ key }) => factOf(key) ?? options)]);
    const untold = [...unknown].map((fact) => fact.replaceAll('_', ' ')).join(', ');
    const note = `${label}: shapes do not tell ${untold}; these and the schedule were not compared`;
    return { side: sideOfGraph(label, graph, { unknown }), note };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const parameters = [...tensors].map(([name, shape]) => ({ name, shape }));
    const nothing = { graph: null, spec: null, unknown: new Set<string>(), compiled: null, schedule: null };
    const why = error.diagnostics[0]?.message ?? '';
    return {
      side: { label, parameters, ...nothing },
      note: `${label}: ${why}; its tensors are compared by name alone`,
    };
  }
}

/** Options of the graph and its layers that no shape tells: `heads`, `dropout`. */
function untoldOptions(graph: Graph): readonly string[] {
  const facts = graphModules(graph).flatMap((module) => module.facts);
  return [...facts.filter(({ fact }) => isUntold(fact)).map(({ field }) => field), 'center_input'];
}

/** The fact of the model that a key of an inferred graph stands for; null where it is about options of layers. */
function factOf(key: string): UnknownFact | null {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return FACTS.find((fact) => fact === name) ?? null;
}

const FACTS: readonly UnknownFact[] = ['image_size', 'low_res_size', 'in_channels', 'diffusion'];
