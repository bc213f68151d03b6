// One forward pass of a graph or bundle, from a safetensors file to a safetensors file.

import { checkGradient, givesGradient, type ModelSettings } from '../compile/model-settings.ts';
import { type Host, warnAll } from '../host.ts';
import { fitToInputs } from './fit-inputs.ts';
import { interfaceOf, type ModelSource, readModel } from './model-source.ts';
import { readRunInputs, toModelInputs } from './run-inputs.ts';
import { type FileJob, type FileRun, runToFile } from './run-to-file.ts';

export interface RunResult extends FileRun {
  /** Shape of each tensor in the output file. */
  readonly tensors: Readonly<Record<string, readonly number[]>>;
}

/**
 * Runs the model once. Everything is checked in the order graph or bundle, inputs, output, weights, adapter,
 * before the GPU is touched; the output appears whole.
 */
export async function runModel(path: string, job: FileJob, host: Host): Promise<RunResult> {
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
  // a bundle that was compiled with feature vectors or a gradient computes them whether they are wanted or not
  const { taps = false, gradient = false } = settings;
  const isAsked = (name: string) => name === 'output' || (name === 'gradient' ? gradient : taps);
  const { results, done } = await runToFile({ source, batch, inputs, isAsked }, job, host);
  const { not_finite, milliseconds, ...ran } = done;
  const tensors = Object.fromEntries([...results].map(([name, { shape }]) => [name, shape]));
  return { ...ran, tensors, not_finite, milliseconds };
}

/** Whether a pass computes the gradient, and so reads labels: where it is asked for, and where the bundle has it. */
function hasGradient(source: ModelSource, { gradient = false }: ModelSettings): boolean {
  return source.kind === 'bundle' ? givesGradient(source.bundle.manifest) : gradient;
}
