// One pass of an opened model, from a safetensors file to a safetensors file: what `run` and `gradients` do alike.

import { checkWritable, writeFile } from '../../runtime/host/node/files.ts';
import type { ModelInputs } from '../../runtime/model.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { openRenamed } from '../checkpoint/renamed-weights.ts';
import type { Host } from '../host.ts';
import type { ModelSource } from './model-source.ts';
import { type ModelOptions, openSource } from './open-model.ts';

export interface FileJob {
  readonly options: ModelOptions;
  /** The safetensors files to read and to write. */
  readonly inputs: string;
  readonly output: string;
}

/** What was done, in the words of `--json`. */
export interface FileRun {
  readonly name: string;
  readonly adapter: string;
  readonly batch: number;
  readonly image_size: readonly number[];
  readonly output: string;
  /** Values that are NaN or infinite, by tensor; empty where all are finite. */
  readonly not_finite: Readonly<Record<string, number>>;
  /** Of the pass with upload and readback, without opening the model. */
  readonly milliseconds: number;
}

/** A model that was read, at the batch of its inputs, and which of its outputs are written. */
export interface FilePass {
  readonly source: ModelSource;
  readonly batch: number;
  readonly inputs: ModelInputs;
  isAsked(output: string): boolean;
  /** What else is written, made of the results. */
  beside?(results: ReadonlyMap<string, Tensor>): Iterable<readonly [string, Tensor]>;
}

/**
 * Runs the model once. Output, weights and adapter are checked in this order before the GPU is touched; the output appears
 * whole.
 */
export async function runToFile(
  { source, batch, inputs, isAsked, beside }: FilePass,
  { options, output }: FileJob,
  host: Host,
): Promise<{ readonly results: ReadonlyMap<string, Tensor>; readonly done: FileRun }> {
  checkWritable(output);
  const weights = await openRenamed(options.weights, options.renameMap, source.graph);
  const opened = await openSource(source, weights, { ...options, batch }, host);
  try {
    host.signal.throwIfAborted();
    const start = performance.now();
    const all = await opened.model.run(inputs);
    const milliseconds = performance.now() - start;
    host.signal.throwIfAborted();
    const results = new Map([...[...all].filter(([name]) => isAsked(name)), ...(beside?.(all) ?? [])]);
    writeFile(output, writeTensors(results));
    const { name, image_size } = source.graph;
    const not_finite = countNotFinite(results);
    return {
      results,
      done: { name, adapter: opened.adapter, batch, image_size, output, not_finite, milliseconds },
    };
  } finally {
    await opened.close();
  }
}

function countNotFinite(results: ReadonlyMap<string, Tensor>): Readonly<Record<string, number>> {
  const counts = [...results].map(([name, { data }]) => {
    return [name, data.reduce((n, value) => (Number.isFinite(value) ? n : n + 1), 0)] as const;
  });
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}
