// Training data as the Node API opens it: `openData('photos', { graph })`. What reads and decodes is loaded when it is asked
// for.

import type { Batch, BatchSource, BatchStream, StepRequest } from './batch.ts';
import type { DataOptions } from './data-options.ts';
import type { Dataset } from './dataset.ts';
import { createStream } from './stream.ts';

export type { Batch, BatchSource, BatchStream, StepRequest, Waiting } from './batch.ts';
export type { DataOptions } from './data-options.ts';
export type { DataClass, Dataset, RowsRequest } from './dataset.ts';
export type { Skipped } from './picture-files.ts';

export interface OpenDataOptions extends DataOptions {
  /** The graph of the model: the path of its file, its JSON text, or what the text says as an object. */
  readonly graph: string | object;
  /** Image size instead of the graph's, slowest dimension first; one number stands for all dimensions. */
  readonly size?: number | readonly number[] | undefined;
}

/**
 * Opens data to train or evaluate a model with: a folder of pictures, `.npz`, IDX, CIFAR's binary files, or a
 * `.safetensors` with `x_start`. Close it when it is done with. Rejects with GraphError, with RuntimeError('input') where
 * the data cannot be used or does not fit the graph, and with UsageError for options that are off.
 */
export async function openData(place: string, options: OpenDataOptions): Promise<Dataset> {
  const { graph, size, ...rest } = options;
  const [{ openData: open, wantedBy }, { loadGraph }, { readGraphFile, textOfGraph }] = await Promise.all([
    import('./open-data.ts'),
    import('../../compiler/graph/load.ts'),
    import('../graph/graph-file.ts'),
  ]);
  const path = typeof graph === 'string' && !/^\s*\{/.test(graph) ? graph : null;
  const text =
    path !== null ? readGraphFile(path) : typeof graph === 'string' ? graph : textOfGraph(graph, 'graph');
  const loaded = loadGraph(text, path ?? 'graph', { size: typeof size === 'number' ? [size] : size });
  return open(place, wantedBy(loaded.graph), rest);
}

/**
 * Batches of a caller's own making, as `openData` gives them: `make` gets the number of the step and how many images it
 * is to have, and must give the same batch for the same step whenever it is asked.
 */
export function batchesBy(make: (step: number, batch: number) => Promise<Batch> | Batch): BatchSource {
  return {
    steps({ batch, from = 0, signal }: StepRequest): BatchStream {
      return createStream(async (step) => make(step, batch), { ahead: 1, from, signal });
    },
  };
}
