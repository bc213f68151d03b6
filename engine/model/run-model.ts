// One forward pass of a graph or bundle, from a safetensors file to a safetensors file.

import { checkWritable, writeFile } from '../../runtime/host/node/files.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { openRenamed } from '../checkpoint/renamed-weights.ts';
import { checkGradient, givesGradient, type ModelSettings } from '../compile/model-settings.ts';
import { type Host, warnAll } from '../host.ts';
import { fitToInputs } from './fit-inputs.ts';
import { interfaceOf, type ModelSource, readModel } from './model-source.ts';
import { type ModelOptions, openSource } from './open-model.ts';
import { readRunInputs, toModelInputs } from './run-inputs.ts';

export interface RunJob {
  readonly options: ModelOptions;
  /** The safetensors files to read and to write. */
  readonly inputs: string;
  readonly output: string;
}

/** What was done, in the words of `--json`. */
export interface RunResult {
  readonly name: string;
  readonly adapter: string;
  readonly batch: number;
  readonly image_size: readonly number[];
  readonly output: string;
  /** Shape of each tensor in the output file. */
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  /** Values that are NaN or infinite, by tensor; empty where all are finite. */
  readonly not_finite: Readonly<Record<string, number>>;
  /** Of the forward pass with upload and readback, without opening the model. */
  readonly milliseconds: number;
}

/**
 * Runs the model once. Everything is checked in the order graph or bundle, inputs, output, weights, adapter,
 * before the GPU is touched; the output appears whole.
 */
export async function runModel(path: string, job: RunJob, host: Host): Promise<RunResult> {
  const { options: settings } = job;
  const said = await readModel(path, settings);
  const given = readRunInputs(job.inputs);
  const { source, batch } = fitToInputs(said, settings, given, (graph) => interfaceOf(graph, 1));
  if (source.kind === 'graph') warnAll(host, source.warnings, path);
  checkGradient(source.graph, settings);
  const inputs = toModelInputs(
    given,
    interfaceOf(source.graph, batch, { gradient: hasGradient(source, settings) }),
  );
  checkWritable(job.output);

  const weights = await openRenamed(settings.weights, settings.renameMap, source.graph);
  const opened = await openSource(source, weights, { ...settings, batch }, host);
  try {
    host.signal.throwIfAborted();
    const start = performance.now();
    const results = keepAsked(await opened.model.run(inputs), settings);
    const milliseconds = performance.now() - start;
    host.signal.throwIfAborted();
    writeFile(job.output, writeTensors(results));
    return {
      name: source.graph.name,
      adapter: opened.adapter,
      batch,
      image_size: source.graph.image_size,
      output: job.output,
      tensors: Object.fromEntries([...results].map(([name, { shape }]) => [name, shape])),
      not_finite: countNotFinite(results),
      milliseconds,
    };
  } finally {
    await opened.close();
  }
}

/** A bundle that was compiled with feature vectors or a gradient computes them whether they are wanted or not. */
function keepAsked(
  results: ReadonlyMap<string, Tensor>,
  { taps = false, gradient = false }: ModelSettings,
): ReadonlyMap<string, Tensor> {
  const isAsked = (name: string) => name === 'output' || (name === 'gradient' ? gradient : taps);
  return new Map([...results].filter(([name]) => isAsked(name)));
}

/** Whether a pass computes the gradient, and so reads labels: where it is asked for, and where the bundle has it. */
function hasGradient(source: ModelSource, { gradient = false }: ModelSettings): boolean {
  return source.kind === 'bundle' ? givesGradient(source.bundle.manifest) : gradient;
}

function countNotFinite(results: ReadonlyMap<string, Tensor>): Readonly<Record<string, number>> {
  const counts = [...results].map(([name, { data }]) => {
    return [name, data.reduce((n, value) => (Number.isFinite(value) ? n : n + 1), 0)] as const;
  });
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}
