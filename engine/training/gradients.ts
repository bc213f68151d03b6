// The losses and gradients of one training batch, from a safetensors file to a safetensors file: to hold against those of
// another framework.

import { parameters } from '../../compiler/graph/parameters.ts';
import { fault } from '../../runtime/bytes.ts';
import type { ModelInputs, ModelInterface } from '../../runtime/model.ts';
import { listOf } from '../../runtime/port-values.ts';
import { diffusionProcess } from '../../runtime/sampler/process.ts';
import { elements, type Tensor } from '../../runtime/tensor.ts';
import { type DropoutDraw, dropoutFaults } from '../../runtime/training/dropout.ts';
import { lossInputs, type TrainingBatch, timestepFaults } from '../../runtime/training/loss-inputs.ts';
import { hasDropout } from '../compile/dropout-fits.ts';
import { checkGradients } from '../compile/model-settings.ts';
import { type Host, warnAll } from '../host.ts';
import { fitToInputs } from '../model/fit-inputs.ts';
import { interfaceOf, readModel } from '../model/model-source.ts';
import { type RunInputs, readRunInputs, toModelInputs } from '../model/run-inputs.ts';
import { type FileJob, type FileRun, runToFile } from '../model/run-to-file.ts';

/** A batch's file, and what dropout is drawn by; without it nothing is dropped. */
export interface GradientsJob extends FileJob {
  readonly dropout?: DropoutDraw | undefined;
}

export interface GradientsResult extends FileRun {
  /** The mean over the batch of each term of the loss. */
  readonly losses: Readonly<Record<string, number>>;
  /** The root of the sum of squares over all gradients. */
  readonly grad_norm: number;
  /** How many parameters have a gradient. */
  readonly gradients: number;
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
  const options = { ...job.options, gradients: true, dropout: job.dropout !== undefined };
  const said = await readModel(path, options);
  checkGradients(said.graph, options);
  const given = readRunInputs(job.inputs);
  const { source, batch } = fitToInputs(said, options, given, (graph) => trainingFace(graph, 1));
  if (source.kind === 'graph') warnAll(host, source.warnings, path);
  const tensors = toModelInputs(given, trainingFace(source.graph, batch)) as ModelInputs & TrainingBatch;
  const inputs = checkedInputs({ ...tensors, dropout: job.dropout }, source.graph, given.origin);
  const beside = (results: ReadonlyMap<string, Tensor>) => unmovedGradients(source.graph, results);
  const pass = { source, batch, inputs, isAsked: () => true, beside };
  const { results, done } = await runToFile(pass, { ...job, options }, host);
  const { not_finite, milliseconds, ...ran } = done;
  return { ...ran, ...summaryOf(results), not_finite, milliseconds };
}

type Graph = Parameters<typeof interfaceOf>[0];

/** What a training batch is made of, as a caller gives it. */
export function trainingFace(graph: Graph, batch: number): ModelInterface {
  const face = interfaceOf(graph, batch, { gradients: true });
  return { ...face, inputs: face.inputs.filter(({ name }) => !MADE.includes(name)) };
}

/**
 * The inputs of a batch whose tensors fit. Throws RuntimeError('input') for timesteps that are none of training, and for
 * numbers that dropout cannot be drawn by.
 */
export function checkedInputs(batch: TrainingBatch, graph: Graph, origin: RunInputs['origin']): ModelInputs {
  const { diffusion } = graph;
  const timesteps = listOf(batch.timesteps);
  const draw = batch.dropout;
  const faults = [
    ...timestepFaults(timesteps, diffusion.steps),
    ...(draw === undefined ? [] : dropoutFaults(draw, timesteps.length)),
  ];
  if (faults.length > 0) throw fault(origin, faults.join(`\n${origin.label}: `));
  const dropout = hasDropout(graph) ? draw : undefined;
  return lossInputs(diffusionProcess(diffusion), { ...batch, timesteps, dropout });
}

function summaryOf(
  results: ReadonlyMap<string, Tensor>,
): Pick<GradientsResult, 'losses' | 'grad_norm' | 'gradients'> {
  const losses = [...results].filter(([name]) => name.startsWith('loss.'));
  const gradients = [...results].filter(([name]) => name.startsWith('grad.'));
  const mean = ({ data }: Tensor) => data.reduce((sum, value) => sum + value, 0) / data.length;
  return {
    losses: Object.fromEntries(losses.map(([name, tensor]) => [name.slice('loss.'.length), mean(tensor)])),
    grad_norm: normOf(gradients.map(([, tensor]) => tensor)),
    gradients: gradients.length,
  };
}

/** Zeros for every parameter that the loss does not depend on, which a pass gives no gradient of. */
export function unmovedGradients(
  graph: Graph,
  results: ReadonlyMap<string, Tensor>,
): readonly (readonly [string, Tensor])[] {
  return parameters(graph).flatMap(({ name, shape }) => {
    const key = `grad.${name}`;
    return results.has(key) ? [] : [[key, { shape, data: new Float32Array(elements(shape)) }] as const];
  });
}

/** The root of the sum of squares over all values, added up in float64. */
export function normOf(tensors: readonly Tensor[]): number {
  const squares = tensors.reduce(
    (sum, { data }) => sum + data.reduce((part, value) => part + value * value, 0),
    0,
  );
  return Math.sqrt(squares);
}
