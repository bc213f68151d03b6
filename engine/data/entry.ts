// Training data as the Node API opens it: `openData('photos', { graph })`. What reads and decodes is loaded when it is asked
// for.

import {
  CALLBACK,
  CHECKED_LATER,
  type Check,
  checkArgument,
  checkOptions,
  FLAG,
  SIGNAL,
  textOf,
} from '../../runtime/arguments.ts';
import { type GraphInput, graphOfInput } from '../graph-input.ts';
import { SEED, settingsOf } from '../options.ts';
import type { Batch, BatchSource, BatchStream, StepRequest } from './batch.ts';
import type { DataOptions } from './data-options.ts';
import type { Dataset } from './dataset.ts';
import { checkStepRequest } from './requests.ts';
import { createStream } from './stream.ts';

export type { Batch, BatchSource, BatchStream, StepRequest, Waiting } from './batch.ts';
export type { DataOptions } from './data-options.ts';
export type { DataClass, Dataset } from './dataset.ts';
export type { Skipped } from './picture-files.ts';
export type { RowsRequest } from './requests.ts';

export interface OpenDataOptions extends DataOptions {
  /** The graph of the model: the path of its file, its JSON text, or what the text says as an object. */
  readonly graph: GraphInput;
  /** Image size instead of the graph's, slowest dimension first; one number stands for all dimensions. */
  readonly size?: number | readonly number[] | undefined;
}

/**
 * Opens data to train or evaluate a model with: a folder of pictures, `.npz`, IDX, CIFAR's binary files, or a
 * `.safetensors` with `x_start`. Close it when it is done with. Rejects with GraphError, with RuntimeError('input') where
 * the data cannot be used or does not fit the graph, and with UsageError for options that are off.
 */
export async function openData(place: string, options: OpenDataOptions): Promise<Dataset> {
  checkArgument('place', place, textOf('the path of a folder of pictures or of a file of arrays'));
  checkOptions('openData', options, OPEN_OPTIONS, ['graph']);
  const { graph, size, ...rest } = options;
  const source = graphOfInput(graph, settingsOf({ size }).size);
  const { openData: open, wantedBy } = await import('./open-data.ts');
  return open(place, wantedBy(source.graph), rest);
}

const OPEN_OPTIONS = {
  graph: CHECKED_LATER,
  size: CHECKED_LATER,
  labels: CHECKED_LATER,
  background: textOf('a colour such as #ffffff, white or black'),
  flip: FLAG,
  crop: CHECKED_LATER,
  seed: SEED,
  workers: CHECKED_LATER,
  signal: SIGNAL,
} as const satisfies { readonly [name in keyof Required<OpenDataOptions>]: Check };

/**
 * Batches of a caller's own making, as `openData` gives them: `make` gets the number of the step and how many images it
 * is to have, and must give the same batch for the same step whenever it is asked.
 */
export function batchesBy(make: (step: number, batch: number) => Promise<Batch> | Batch): BatchSource {
  checkArgument('make', make, CALLBACK);
  return {
    steps(request: StepRequest): BatchStream {
      checkStepRequest(request);
      const { batch, from = 0, signal } = request;
      return createStream(async (step) => make(step, batch), { ahead: 1, from, signal });
    },
  };
}
