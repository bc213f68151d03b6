// A checkpoint as a side of a diff: the graph that its names and shapes tell, without what they do not.

import { GraphError } from '../../compiler/diagnostics.ts';
import { type DiffSide, sideOfGraph, type Unknown } from '../../compiler/diff/side.ts';
import { inferGraph } from '../../compiler/import/infer.ts';

/** The side of these tensors, and a note on what is not compared. One of another family has its parameters alone. */
export function sideOfTensors(
  tensors: ReadonlyMap<string, readonly number[]>,
  label: string,
): { readonly side: DiffSide; readonly note: string } {
  try {
    const { graph, undetermined } = inferGraph(tensors, { file: label });
    const unknown = new Set<Unknown>(['name', ...undetermined.flatMap(({ key }) => UNKNOWN[key] ?? [])]);
    const untold = [...unknown].map((fact) => fact.replaceAll('_', ' ')).join(', ');
    const note = `${label}: shapes do not tell ${untold}; these and the schedule were not compared`;
    return { side: sideOfGraph(label, graph, { unknown }), note };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const parameters = [...tensors].map(([name, shape]) => ({ name, shape }));
    const nothing = { graph: null, spec: null, unknown: new Set<Unknown>(), compiled: null, schedule: null };
    const why = error.diagnostics[0]?.message ?? '';
    return {
      side: { label, parameters, ...nothing },
      note: `${label}: ${why}; its tensors are compared by name alone`,
    };
  }
}

/** What is not known where a key of an inferred graph is a guess. */
const UNKNOWN: Readonly<Record<string, readonly Unknown[]>> = {
  '/image_size': ['image_size'],
  '/unet/num_heads': ['heads'],
  '/unet/num_heads_upsample': ['heads'],
  '/unet/dropout': ['dropout'],
  '/blocks': ['heads', 'dropout'],
  '/super_resolution/low_res_size': ['low_res_size'],
  '/unet/in_channels': ['in_channels'],
  '/in_channels': ['in_channels'],
  '/diffusion': ['diffusion'],
};
