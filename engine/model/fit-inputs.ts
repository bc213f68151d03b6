// Batch and image size of a pass from the tensors that it is given.

import { GraphError } from '../../compiler/diagnostics.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { fault } from '../../runtime/bytes.ts';
import type { ModelInterface } from '../../runtime/model.ts';
import type { ModelSettings } from '../compile/model-settings.ts';
import type { ModelSource } from './model-source.ts';
import { batchOf, type GivenShapes, imageSizeOf } from './run-inputs.ts';

/**
 * A graph takes batch and size that were not said from the inputs; a bundle has its own. `faceOf` is what the model of a graph
 * takes. Throws RuntimeError('input') for a size of the inputs that the graph cannot take.
 */
export function fitToInputs(
  said: ModelSource,
  { batch, size }: ModelSettings,
  given: GivenShapes,
  faceOf: (graph: Graph) => ModelInterface,
): { readonly source: ModelSource; readonly batch: number } {
  if (said.kind === 'bundle') return { source: said, batch: said.bundle.manifest.batch };
  const face = faceOf(said.graph);
  const fitted = { source: said, batch: batch ?? batchOf(given, face) };
  const found = imageSizeOf(given, face);
  if (size !== undefined || found === null) return fitted;
  if (found.size.join() === said.graph.image_size.join()) return fitted;
  try {
    return { ...fitted, source: said.resize(found.size) };
  } catch (error) {
    // The graph is sound at its own size: it is the file that asks for one that it cannot take.
    if (!(error instanceof GraphError)) throw error;
    const faults = error.diagnostics.filter((d) => d.severity === 'error').map((d) => d.message);
    const { name, shape } = found;
    throw fault(
      given.origin,
      `${name} is [${shape.join(', ')}], a size that ${said.label} cannot take: ${faults.join('; ')}`,
    );
  }
}
