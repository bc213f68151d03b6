// The losses and gradients of one training batch, from a safetensors file to a safetensors file: to hold against those of
// another framework.

import { fault } from '../../runtime/bytes.ts';
import { checkWritable, writeFile } from '../../runtime/host/node/files.ts';
import type { ModelInputs, ModelInterface } from '../../runtime/model.ts';
import { listOf } from '../../runtime/port-values.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { lossInputs, type TrainingBatch, timestepFaults } from '../../runtime/training/loss-inputs.ts';
import { writeTensors } from '../../runtime/weights/safetensors-write.ts';
import { openRenamed } from '../checkpoint/renamed-weights.ts';
import { checkGradients } from '../compile/model-settings.ts';
import { type Host, warnAll } from '../host.ts';
import { fitToInputs } from '../model/fit-inputs.ts';
import { interfaceOf, readModel } from '../model/model-source.ts';
import { type ModelOptions, openSource } from '../model/open-model.ts';
import { type RunInputs, readRunInputs, toModelInputs } from '../model/run-inputs.ts';

export interface GradientsJob {
  readonly options: ModelOptions;
  /** The safetensors files to read and to write. */
  readonly inputs: string;
  readonly output: string;
}

/** What was done, in the words of `--json`. */
export interface GradientsResult {
  readonly name: string;
  readonly adapter: string;
  readonly batch: number;
  readonly image_size: readonly number[];
  readonly output: string;
  /** The mean over the batch of each term of the loss. */
  readonly losses: Readonly<Record<string, number>>;
  /** The root of the sum of squares over all gradients. */
  readonly grad_norm: number;
  /** How many parameters have a gradient. */
  readonly gradients: number;
  /** Values that are NaN or infinite, by tensor; empty where all are finite. */
  readonly not_finite: Readonly<Record<string, number>>;
  readonly milliseconds: number;
}

/** Inputs of the pass that the host makes of the timesteps. */
const MADE = ['coefficients', 'weights'];

/**
 * Computes the gradients once. Everything is checked in the order graph or bundle, inputs, output, weights, adapter, before
 * the GPU is touched; the output appears whole.
 */
export async function computeGradients(
  path: string,
  job: GradientsJob,
  host: Host,
): Promise<GradientsResult> {
  const settings = { ...job.options, gradients: true };
  const said = await readModel(path, settings);
  checkGradients(said.graph, settings);
  const given = readRunInputs(job.inputs);
  const { source, batch } = fitToInputs(said, settings, given, (graph) => trainingFace(graph, 1));
  if (source.kind === 'graph') warnAll(host, source.warnings, path);
  const inputs = batchInputs(given, trainingFace(source.graph, batch), source.graph.diffusion);
  checkWritable(job.output);

  const weights = await openRenamed(settings.weights, settings.renameMap, source.graph);
  const opened = await openSource(source, weights, { ...settings, batch }, host);
  try {
    host.signal.throwIfAborted();
    const start = performance.now();
    const results = await opened.model.run(inputs);
    const milliseconds = performance.now() - start;
    host.signal.throwIfAborted();
    writeFile(job.output, writeTensors(results));
    return {
      name: source.graph.name,
      adapter: opened.adapter,
      batch,
      image_size: source.graph.image_size,
      output: job.output,
      ...summaryOf(results),
      milliseconds,
    };
  } finally {
    await opened.close();
  }
}

type Graph = Parameters<typeof interfaceOf>[0];

/** What a training batch is made of, as a caller gives it. */
function trainingFace(graph: Graph, batch: number): ModelInterface {
  const face = interfaceOf(graph, batch, { gradients: true });
  return { ...face, inputs: face.inputs.filter(({ name }) => !MADE.includes(name)) };
}

function batchInputs(given: RunInputs, face: ModelInterface, diffusion: Graph['diffusion']): ModelInputs {
  const batch = toModelInputs(given, face) as ModelInputs & TrainingBatch;
  const timesteps = listOf(batch.timesteps);
  const faults = timestepFaults(timesteps, diffusion.steps);
  if (faults.length > 0) throw fault(given.origin, faults.join(`\n${given.origin.label}: `));
  return lossInputs(diffusionProcess(diffusion), { ...batch, timesteps });
}

function summaryOf(
  results: ReadonlyMap<string, Tensor>,
): Pick<GradientsResult, 'losses' | 'grad_norm' | 'gradients' | 'not_finite'> {
  const losses = [...results].filter(([name]) => name.startsWith('loss.'));
  const gradients = [...results].filter(([name]) => name.startsWith('grad.'));
  const mean = ({ data }: Tensor) => data.reduce((sum, value) => sum + value, 0) / data.length;
  const squares = gradients.reduce(
    (sum, [, { data }]) => sum + data.reduce((part, value) => part + value * value, 0),
    0,
  );
  const bad = [...results].map(([name, { data }]) => {
    return [name, data.reduce((n, value) => (Number.isFinite(value) ? n : n + 1), 0)] as const;
  });
  return {
    losses: Object.fromEntries(losses.map(([name, tensor]) => [name.slice('loss.'.length), mean(tensor)])),
    grad_norm: Math.sqrt(squares),
    gradients: gradients.length,
    not_finite: Object.fromEntries(bad.filter(([, count]) => count > 0)),
  };
}
