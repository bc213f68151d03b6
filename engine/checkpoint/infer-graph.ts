// The graph that a checkpoint file belongs to, and whether one belongs to a graph.

import { basename, extname } from 'node:path';
import { type CheckReport, checkTensors } from '../../compiler/import/check.ts';
import { type InferResult, inferGraph } from '../../compiler/import/infer.ts';
import { readGraph } from '../graph/graph-file.ts';
import { type Host, warnAll } from '../host.ts';
import { readCheckpointTensors } from './checkpoint-tensors.ts';

/**
 * Infers a graph from the names and shapes of a checkpoint's tensors, with how many there are. Throws
 * RuntimeError('weights') where the file cannot be read, GraphError where no graph has such tensors.
 */
export function inferFromCheckpoint(
  path: string,
  host: Pick<Host, 'note'>,
): InferResult & { readonly tensors: number } {
  const { tensors, notes } = readCheckpointTensors(path);
  for (const note of notes) host.note(`${path}: ${note}`);
  const name = basename(path, extname(path)).replace(/\p{C}/gu, '').slice(0, 100) || 'inferred';
  const inferred = inferGraph(tensors, { file: path, name });
  if (inferred.prefix !== '') {
    host.note(`${path}: took the prefix ${JSON.stringify(inferred.prefix)} off every tensor's name`);
  }
  return { ...inferred, tensors: tensors.size };
}

/** Holds a checkpoint's tensors against a graph file. Throws GraphError, RuntimeError('weights'). */
export function checkCheckpoint(
  graphFile: string,
  checkpoint: string,
  host: Pick<Host, 'warn' | 'note'>,
): CheckReport {
  const { graph, warnings } = readGraph(graphFile);
  warnAll(host, warnings, graphFile);
  const { tensors, notes } = readCheckpointTensors(checkpoint);
  for (const note of notes) host.note(`${checkpoint}: ${note}`);
  return checkTensors(graph, tensors);
}
