// Runs two models on the same inputs, one after the other, and compares what their blocks give.

import type { Graph } from '../../compiler/graph/graph.ts';
import type { ModelInputs, ModelInterface } from '../../runtime/model.ts';
import { openRenamed } from '../checkpoint/renamed-weights.ts';
import { checkGradients, type ModelSettings } from '../compile/model-settings.ts';
import { UsageError } from '../errors.ts';
import { type Host, warnAll } from '../host.ts';
import { exampleInputs } from '../model/example-inputs.ts';
import { interfaceOf, type ModelSource, readModel } from '../model/model-source.ts';
import { type ModelOptions, openSource } from '../model/open-model.ts';
import { batchOf, imageSizeOf, type RunInputs, readRunInputs, toModelInputs } from '../model/run-inputs.ts';
import { trainingFace } from '../training/gradients.ts';
import { compareRuns, type Drift, type DriftSide } from './compare.ts';
import { compareGradients, exampleBatches, givenBatch } from './gradients.ts';

/** One side as `--json` tells it. */
export interface DriftModel {
  readonly model: string;
  readonly name: string;
  readonly weights: string;
  readonly adapter: string;
}

export interface DriftResult extends Drift {
  readonly a: DriftModel;
  readonly b: DriftModel;
  readonly batch: number;
  readonly image_size: readonly number[];
  readonly tolerance: number;
}

/** How one side is opened. */
export interface SideJob {
  /** A graph file or the folder of a bundle. */
  readonly path: string;
  readonly options: ModelOptions;
}

export interface DriftJob {
  readonly a: SideJob;
  readonly b: SideJob;
  /** A safetensors file; without one both get the same noise. */
  readonly inputs: string | null;
  /** Relative L2 up to which two results count as the same. */
  readonly tolerance: number;
  /** Compares the loss and the gradients of a training batch instead, in the order of the backward pass. */
  readonly gradients?: boolean | undefined;
}

/** Everything is checked before the GPU is touched; the two models are open one after the other. */
export async function measureDrift(job: DriftJob, host: Host): Promise<DriftResult> {
  const { tolerance, gradients = false } = job;
  const [a, b] = gradients ? [inTraining(job.a), inTraining(job.b)] : [job.a, job.b];
  const faceOf: FaceOf = gradients ? trainingFace : interfaceOf;
  const given = job.inputs === null ? null : readRunInputs(job.inputs);
  const sources = [await readSide(a, given, faceOf), await readSide(b, given, faceOf)] as const;
  for (const source of sources) {
    if (source.kind === 'graph') warnAll(host, source.warnings, source.label);
  }
  const batch = batchFor(sources, a.options, given, faceOf);
  const faces = sources.map((source) => faceOf(source.graph, batch)) as [ModelInterface, ModelInterface];
  checkComparable(faces, sources);
  const inputs = gradients
    ? batchesFor(sources, batch, given)
    : given
      ? faces.map((face) => toModelInputs(given, face))
      : exampleFor(faces);

  const left = await runSide(a, sources[0], batch, inputs[0]!, host);
  const right = await runSide(b, sources[1], batch, inputs[1]!, host);
  return {
    a: left.model,
    b: right.model,
    batch,
    image_size: sources[0].graph.image_size,
    tolerance,
    ...(gradients ? compareGradients : compareRuns)(left, right, tolerance),
  };
}

/** What a model of a graph takes at a batch. */
type FaceOf = (graph: Graph, batch: number) => ModelInterface;

function inTraining({ path, options }: SideJob): SideJob {
  return { path, options: { ...options, taps: undefined, gradients: true } };
}

function batchesFor(
  [a, b]: readonly [ModelSource, ModelSource],
  batch: number,
  given: RunInputs | null,
): readonly ModelInputs[] {
  if (given === null) return exampleBatches([a.graph, b.graph], batch);
  return [a, b].map(({ graph }) => givenBatch(given, graph, batch));
}

/** A side's graph in the size of the inputs, or its bundle. */
async function readSide(
  { path, options }: SideJob,
  given: RunInputs | null,
  faceOf: FaceOf,
): Promise<ModelSource> {
  const source = await readModel(path, options);
  checkGradients(source.graph, options);
  if (source.kind === 'bundle' || given === null || options.size !== undefined) return source;
  const size = imageSizeOf(given, faceOf(source.graph, 1))?.size;
  return size === undefined || size.join() === source.graph.image_size.join() ? source : source.resize(size);
}

/** A bundle has its batch; two of them must have the same. */
function batchFor(
  sources: readonly ModelSource[],
  { batch }: ModelSettings,
  given: RunInputs | null,
  faceOf: FaceOf,
): number {
  const own = sources.flatMap((source) => (source.kind === 'bundle' ? [source.bundle.manifest.batch] : []));
  if (new Set(own).size > 1) {
    throw new UsageError(
      `the bundles were compiled for ${own.join(' and ')} images; compile one of them again`,
    );
  }
  return own[0] ?? batch ?? (given ? batchOf(given, faceOf(sources[0]!.graph, 1)) : 1);
}

/** Ports of images that both have must be of one shape: else there are no inputs that are the same. */
function checkComparable(
  [a, b]: readonly [ModelInterface, ModelInterface],
  [left, right]: readonly [ModelSource, ModelSource],
): void {
  for (const port of a.inputs) {
    const other = b.inputs.find(({ name }) => name === port.name);
    if (port.encoding !== 'image' || other === undefined || other.shape.join() === port.shape.join())
      continue;
    const image = ({ shape }: { readonly shape: readonly number[] }) => `[${shape.slice(1).join(', ')}]`;
    throw new UsageError(
      (option) =>
        `${left.label} takes ${port.name} of ${image(port)}, ${right.label} of ${image(other)}; there is nothing to ` +
        `compare. Where only the size differs, ${option('size')} makes it one`,
    );
  }
}

/** The same noise and timesteps for both; labels that both know, where both have classes. */
function exampleFor([a, b]: readonly [ModelInterface, ModelInterface]): readonly ModelInputs[] {
  const shared = (mine: ModelInterface, others: ModelInterface): ModelInputs =>
    exampleInputs({
      inputs: mine.inputs.map((port) => {
        const other = others.inputs.find(({ name }) => name === port.name);
        if (port.encoding !== 'label' || other?.encoding !== 'label') return port;
        return { ...port, classes: Math.min(port.classes, other.classes) };
      }),
    });
  return [shared(a, b), shared(b, a)];
}

async function runSide(
  { path, options }: SideJob,
  source: ModelSource,
  batch: number,
  inputs: ModelInputs,
  host: Host,
): Promise<DriftSide & { readonly graph: Graph; readonly model: DriftModel }> {
  host.signal.throwIfAborted();
  const weights = await openRenamed(options.weights, options.renameMap, source.graph);
  const opened = await openSource(source, weights, { ...options, batch }, host);
  try {
    const results = await opened.model.run(inputs);
    const model = { model: path, name: source.graph.name, weights: options.weights, adapter: opened.adapter };
    return { graph: source.graph, results, model };
  } finally {
    await opened.close();
  }
}
