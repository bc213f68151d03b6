// Opens what `run`, `sample` and the Node API compute with: a graph or a bundle, its weights, and where it runs.

import { toExplicit } from '../../compiler/graph/explicit.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import type { Precision } from '../../compiler/precision.ts';
import { adapterLine } from '../../runtime/adapter.ts';
import { type BadKernel, findBadKernel } from '../../runtime/bad-kernel.ts';
import type { Manifest } from '../../runtime/bundle.ts';
import type { Model, ModelInputs, ModelInterface } from '../../runtime/model.ts';
import type { DiffusionSettings } from '../../runtime/sampler/process.ts';
import { withLossScale } from '../../runtime/training/scaled-gradients.ts';
import { type MatchedWeights, matchWeights } from '../../runtime/weights/match.ts';
import type { WeightSource } from '../../runtime/weights/source.ts';
import { openRenamed } from '../checkpoint/renamed-weights.ts';
import {
  checkGradient,
  checkGradients,
  givesGradient,
  givesGradients,
  type ModelSettings,
} from '../compile/model-settings.ts';
import { sha256Of } from '../digest.ts';
import { type Host, warnAll } from '../host.ts';
import { interfaceOf, type ModelSource, readModel } from './model-source.ts';
import { type OpenHost, openProgram } from './open-program.ts';
import { referenceModel } from './reference-model.ts';

/** How a caller wants a model opened: what `unetc run`, `sample` and every other command that opens one take alike. */
export interface ModelOptions extends ModelSettings {
  /** A checkpoint, a part of one as `FILE#KEY`, or `hash:SEED`. */
  readonly weights: string;
  /** Leaves out tensors of the weights that the graph does not have. */
  readonly allowUnexpected?: boolean | undefined;
  /** A file of `unetc diff --write-rename-map`, by which the weights are read. */
  readonly renameMap?: string | undefined;
  /** Computes in float64 on the reference executor instead of the GPU. */
  readonly reference?: boolean | undefined;
  /** Seconds after which a pass that does not end is given up; default: 60, or 20 times the estimate. */
  readonly timeout?: number | undefined;
  /** Runs a bundle without comparing it with what its graph compiles to. */
  readonly trust?: boolean | undefined;
}

/** The same without the weights, for those who have opened them. */
export interface OpenOptions extends Omit<ModelOptions, 'weights' | 'renameMap'> {
  /** Looks at what the model takes before a GPU is opened, and throws where the caller's inputs do not fit. */
  readonly check?: ((face: ModelInterface, graph: OpenedModel['graph']) => void | Promise<void>) | undefined;
}

export interface OpenModelOptions extends ModelOptions, Pick<OpenOptions, 'check'> {}

/** What tells a model from another, its weights apart: SHA-256 of the graph, and of the kernels that compute it. */
export interface ModelHashes {
  readonly graph: string;
  /** The same at every batch; `reference` on the reference executor. */
  readonly kernels: string;
  /** The same of the classifier that guides it; absent where none does. */
  readonly classifier?: string;
  readonly classifier_kernels?: string;
}

export interface OpenedModel {
  readonly model: Model;
  readonly hashes: ModelHashes;
  readonly graph: { readonly name: string; readonly diffusion: DiffusionSettings };
  /** What it runs on, in words. */
  readonly adapter: string;
  /** What it is stored in; of a model and its classifier float16 where one of them is. */
  readonly precision: Precision;
  /** The first kernel of a pass that makes a NaN or an infinity, or null; absent without a GPU. */
  readonly findBadKernel?: (inputs: ModelInputs) => Promise<BadKernel | null>;
  /** Gives back what the model holds. */
  close(): void | Promise<void>;
}

/**
 * Opens a graph file or a bundle folder. Faults come in the order graph or bundle, weights, `check`, adapter: the GPU
 * is not touched before the others are sound.
 */
export async function openModel(path: string, options: OpenModelOptions, host: Host): Promise<OpenedModel> {
  const source = await readModel(path, options);
  if (source.kind === 'graph') warnAll(host, source.warnings, path);
  const weights = await openRenamed(options.weights, options.renameMap, source.graph);
  return openSource(source, weights, options, host);
}

/** Opens a model that was read, with weights that it takes over and closes. */
export async function openSource(
  source: ModelSource,
  weights: WeightSource,
  options: OpenOptions,
  host: OpenHost,
): Promise<OpenedModel> {
  try {
    const matched = matchWeights(parameters(source.graph), weights, options);
    for (const note of matched.notes) host.note(`${weights.label}: ${note}`);
    if (source.kind === 'bundle' && source.note !== null) host.note(source.note);
    await options.check?.(interfaceOf(source.graph, batchOf(source, options), options), source.graph);
    if (options.reference) return openReference(source, weights, matched, options);
    const opened = await openOnDevice(source, matched, options, host);
    weights.close();
    return opened;
  } catch (error) {
    weights.close();
    throw error;
  }
}

/** A bundle's own batch; a graph's is asked for, or 1. */
export function batchOf(source: ModelSource, options: Pick<OpenOptions, 'batch'>): number {
  return source.kind === 'bundle' ? source.bundle.manifest.batch : (options.batch ?? 1);
}

/** The reference executor reads the weights at every run. */
export function openReference(
  source: ModelSource,
  weights: WeightSource,
  { read }: MatchedWeights,
  options: OpenOptions,
): OpenedModel {
  const { graph } = source;
  const own =
    source.kind === 'bundle'
      ? { ...source.bundle.manifest, gradient: givesGradient(source.bundle.manifest) }
      : { taps: false, precision: 'f32' as const, gradient: false };
  checkGradient(graph, options);
  checkGradients(graph, options);
  const { taps = own.taps, precision = own.precision, gradient = own.gradient } = options;
  const { gradients = false, dropout = false } = options;
  const model = referenceModel(graph, {
    batch: batchOf(source, options),
    taps,
    gradient,
    gradients,
    dropout,
    precision,
    read: (name) => read(name),
  });
  const hashes = { graph: graphHash(graph), kernels: `reference ${precision}` };
  const scaled = gradients && precision === 'f16' ? withLossScale(model) : model;
  return {
    model: scaled,
    hashes,
    graph,
    precision,
    adapter: 'the reference executor',
    close: () => weights.close(),
  };
}

async function openOnDevice(
  source: ModelSource,
  { read }: MatchedWeights,
  options: OpenOptions,
  host: OpenHost,
): Promise<OpenedModel> {
  const { program, device, close } = await openProgram(source, read, options, host);
  const { manifest } = program;
  return {
    model: givesGradients(manifest) && manifest.precision === 'f16' ? withLossScale(program) : program,
    hashes: hashesOf(source.graph, manifest),
    graph: { name: manifest.name, diffusion: manifest.diffusion },
    adapter: adapterLine(device.adapter),
    precision: manifest.precision,
    findBadKernel: (inputs) => findBadKernel(program, inputs),
    close,
  };
}

/** What tells a compiled model from another. */
export function hashesOf(graph: Graph, manifest: Manifest): ModelHashes {
  return { graph: graphHash(graph), kernels: kernelsHash(manifest) };
}

function graphHash(graph: Graph): string {
  return sha256Of(JSON.stringify(toExplicit(graph)));
}

/** Of the set of kernels: which there are does not depend on the batch, how often each is called may. */
function kernelsHash({ kernels, target, precision, strict }: Manifest): string {
  const files = kernels.map(({ sha256 }) => sha256).sort();
  return sha256Of([target, precision, strict, ...files].join(' '));
}
