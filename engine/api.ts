// The Node API: `import { compile, load } from 'unetc'`. The command line is a thin skin over the same parts.

import { type Diagnostic, GraphError } from '../compiler/diagnostics.ts';
import type { Precision } from '../compiler/precision.ts';
import { type Bundle, formatManifest } from '../runtime/bundle.ts';
import { openWeights } from '../runtime/host/node/open-weights.ts';
import { parseBundle } from '../runtime/parse-bundle.ts';
import type { Tensor } from '../runtime/tensor.ts';
import { weightsInMemory } from '../runtime/weights/memory.ts';
import { bundleFiles, writeBundle } from './compile/bundle-folder.ts';
import { printStage, STAGES, type Stage } from './compile/compile-model.ts';
import { compileWith } from './compile/compile-with.ts';
import { checkMemory } from './compile/memory-limit.ts';
import { checkSettings, type ModelSettings } from './compile/model-settings.ts';
import { targetFor } from './compile/target-choice.ts';
import { UsageError } from './errors.ts';
import { readGraphFile, textOfGraph } from './graph/graph-file.ts';
import { silentHost, warnAll } from './host.ts';
import { type LoadedModel, loadedModel } from './model/loaded-model.ts';
import {
  bundleSource,
  type GraphSource,
  graphSource,
  type ModelSource,
  readModel,
  type SourceOptions,
} from './model/model-source.ts';
import { openGuidedSource } from './model/open-guided.ts';
import { openSource } from './model/open-model.ts';

export type { Diagnostic, Position } from '../compiler/diagnostics.ts';
export { GraphError, InternalError } from '../compiler/diagnostics.ts';
export type { Diffusion } from '../compiler/graph/graph.ts';
export type { Bundle, Manifest } from '../runtime/bundle.ts';
export type { RuntimeErrorKind } from '../runtime/errors.ts';
export { RuntimeError } from '../runtime/errors.ts';
export type { DenoiserInputs as ModelInputs } from '../runtime/sampler/denoiser.ts';
export type { Guidance, SampleRequest } from '../runtime/sampler/request.ts';
export type { Sample, StepReport } from '../runtime/sampler/sample.ts';
export type { Sampler } from '../runtime/sampler/samplers/index.ts';
export type { Tensor } from '../runtime/tensor.ts';
export * from './checkpoint/import-diffusers.ts';
export type { Stage } from './compile/compile-model.ts';
export type { Batch, BatchSource, BatchStream, Dataset, OpenDataOptions } from './data/entry.ts';
export { batchesBy, openData } from './data/entry.ts';
export { UsageError } from './errors.ts';
export { defineUNet, type GraphFile } from './graph/typescript/define-unet.ts';
export type { LoadedModel, ModelInterface, ModelOutputs, SampleOptions } from './model/loaded-model.ts';

/**
 * A graph: the path of its file, its JSON text (which begins with a brace), or what the text says as an object, in
 * the compact or the explicit form.
 */
export type GraphInput = string | object;

/** A tensor whose shape is known to the type checker. `data` is row-major float32. */
export interface ShapedTensor<Shape extends readonly number[]> {
  readonly shape: Shape;
  readonly data: Float32Array;
}

export interface CompileOptions {
  /** Images in a forward pass, 1 to 65536. Default 1. */
  readonly batch?: number | undefined;
  /** Image size instead of the graph's, slowest dimension first; one number stands for all dimensions. */
  readonly size?: number | readonly number[] | undefined;
  /** Adds the feature vectors of every block to the outputs: `down.i`, `middle`, `up.i`. Default false. */
  readonly taps?: boolean | undefined;
  /**
   * Adds a classifier's gradient: labels `y` to its inputs, and `gradient` to its outputs. Without it a classifier gives its
   * `output` alone, and cannot guide. Default false.
   */
  readonly gradient?: boolean | undefined;
  /** Leaves out every algorithm that is less exact than the plain one. Default false. */
  readonly strict?: boolean | undefined;
  /**
   * Element type of the torso's activations and weights: `f16` is the original's convert_to_fp16, for targets that have
   * float16. Default `f32`.
   */
  readonly precision?: Precision | undefined;
  /** Name of a target. Default `generic`, which runs wherever WebGPU does. */
  readonly target?: string | undefined;
  /**
   * The most bytes that weights and activations may take on the device. Kernels that need less are chosen where they do
   * not fit, and a UsageError tells what would be needed where there are none. Default: no limit.
   */
  readonly memory?: number | undefined;
  /** A file of `unetc tune`, or `none` for the cost model's choices. Default: what ships for the target. */
  readonly tuning?: string | undefined;
}

/** A compiled graph: a bundle in memory, with what the compiler knows of it. */
export interface CompiledGraph extends Bundle {
  /** What is odd about the graph, though it can be compiled. */
  readonly warnings: readonly Diagnostic[];
  /** A stage of the compilation as text, as `unetc compile --emit` prints it. */
  emit(stage: Stage): string;
  /**
   * Writes the bundle as a folder that appears whole or not at all; with `types` also a typed module, `bundle.js`
   * with `bundle.d.ts`. An older bundle is replaced, a folder with anything else refused.
   * Rejects with RuntimeError('output').
   */
  write(folder: string, options?: { readonly types?: boolean }): Promise<void>;
}

/** A classifier that guides a model, in `load`. */
export interface ClassifierInput {
  /** A graph, or a bundle that was compiled with `gradient`, of the model's channels, size and batch. */
  readonly model: GraphInput | Bundle;
  /** As those of the model. */
  readonly weights: string | ReadonlyMap<string, Tensor>;
  readonly allowUnexpected?: boolean | undefined;
  /** Default: as the model's. */
  readonly precision?: Precision | undefined;
}

/** What `load` needs for a bundle, whose sizes are compiled in. */
export interface BundleLoadOptions {
  /**
   * A `.safetensors` file, a `.pt` file, an index of shards, one of these with `#KEY` for a state dict or a prefix of
   * names in it, `hash:SEED`, or tensors by name. Every tensor of the graph must be there in its shape, and no other.
   */
  readonly weights: string | ReadonlyMap<string, Tensor>;
  /** Leaves out tensors that the graph does not have, with a note that lists them. Default false. */
  readonly allowUnexpected?: boolean | undefined;
  /** Computes in float64 on the CPU instead of the GPU: slow, for checking. Default false. */
  readonly reference?: boolean | undefined;
  /** Seconds after which a pass that does not end is given up. Default: 60, or 20 times the estimate. */
  readonly timeout?: number | undefined;
  /** Runs a bundle as it is, without comparing it with what its graph compiles to. Default false. */
  readonly trust?: boolean | undefined;
  /** Guides the model in `sample`; it is opened on the same device. */
  readonly classifier?: ClassifierInput | undefined;
}

export interface LoadOptions extends BundleLoadOptions, Omit<CompileOptions, 'target'> {
  /** Name of a target. Default `auto`: what suits the adapter. */
  readonly target?: string | undefined;
}

/**
 * Compiles a graph for a target. No GPU is touched; the same graph and options give the same bytes.
 * Throws GraphError with every fault of the graph, and UsageError for an option that is off.
 */
export function compile(graph: GraphInput, options: CompileOptions = {}): CompiledGraph {
  const settings = settingsOf(options);
  const source = isPath(graph)
    ? graphSource(readGraphFile(graph), graph, settings.size)
    : inMemory(graph, settings);
  const target = targetFor(settings.target ?? 'generic');
  const compiled = compileWith(source.graph, settings, target, source);
  checkMemory(compiled.bundle.manifest, settings.memory, 'graph');
  return {
    ...compiled.bundle,
    warnings: source.warnings,
    emit(stage) {
      if (STAGES.includes(stage)) return printStage(compiled, stage);
      throw new UsageError(`stage: found ${stage}, expected one of ${STAGES.join(', ')}`);
    },
    async write(folder, { types = false } = {}) {
      const { manifest } = compiled.bundle;
      const module = types ? (await import('./compile/types-module.ts')).typesModule(manifest) : undefined;
      writeBundle(folder, bundleFiles(compiled.bundle, module));
    },
  };
}

/**
 * Opens a model with its weights on the GPU that is here: a bundle (from `compile`, or the path of its folder), or a
 * graph, which is compiled for the adapter. Rejects with GraphError, RuntimeError of kind `bundle`, `weights`,
 * `adapter` or `gpu`, and UsageError for options that are off or that a bundle was not compiled for.
 */
export async function load(model: GraphInput | Bundle, options: LoadOptions): Promise<LoadedModel> {
  const settings = settingsOf(options);
  const { trust, timeout } = options;
  const source = await sourceOf(model, { ...settings, trust });
  const notes: string[] = [];
  const host = silentHost(notes);
  if (source.kind === 'graph') warnAll(host, source.warnings, source.label);
  const { weights, reference, allowUnexpected, classifier } = options;
  const opening = { ...settings, reference, allowUnexpected, timeout };
  if (classifier === undefined)
    return loadedModel(await openSource(source, weightsOf(weights), opening, host), notes);
  const beside = await readClassifier(classifier, { ...settings, trust });
  if (beside.kind === 'graph') warnAll(host, beside.warnings, beside.label);
  const own = weightsOf(weights);
  try {
    const guide = { ...classifier, source: beside, weights: weightsOf(classifier.weights) };
    return loadedModel(await openGuidedSource(source, own, guide, opening, host), notes);
  } catch (error) {
    own.close();
    throw error;
  }
}

function weightsOf(weights: LoadOptions['weights']) {
  return typeof weights === 'string' ? openWeights(weights) : weightsInMemory(weights);
}

/** Throws UsageError where it is no classifier's input; callers in JavaScript may give anything. */
function readClassifier(
  classifier: ClassifierInput,
  { batch, size, trust }: SourceOptions,
): Promise<ModelSource> {
  const { model, weights, precision } = classifier ?? {};
  if (model === undefined || weights === undefined) {
    throw new UsageError(
      "classifier: expected a model and its weights, as in { model: 'c.json', weights: 'c.pt' }",
    );
  }
  checkSettings({ precision });
  return sourceOf(model, { batch, size, precision, trust }, 'classifier');
}

/** `label` is what messages call what is no file. */
async function sourceOf(
  model: GraphInput | Bundle,
  settings: SourceOptions,
  label = 'graph',
): Promise<ModelSource> {
  if (isPath(model)) return readModel(model, settings);
  if (typeof model === 'string' || !isBundle(model)) return inMemory(model, settings, label);
  const { manifest, kernels } = model;
  const called = label === 'graph' ? 'the bundle' : `the bundle of the ${label}`;
  const checked = await parseBundle(formatManifest(manifest), (file) => kernels.get(file), called);
  return bundleSource(checked, called, settings);
}

function inMemory(graph: GraphInput, { size }: ModelSettings, label = 'graph'): GraphSource {
  if (typeof graph === 'string') return graphSource(graph, label, size);
  try {
    return graphSource(textOfGraph(graph, label), label, size);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    // Nobody sees the text that lines and columns would count in.
    throw new GraphError(
      error.diagnostics.map(({ position: _, ...rest }) => rest),
      error.file,
    );
  }
}

/** Text begins with a brace, after space or a byte order mark; the path of a file does not. */
function isPath(model: GraphInput): model is string {
  return typeof model === 'string' && !/^\s*\{/.test(model);
}

function isBundle(model: object): model is Bundle {
  return 'manifest' in model && 'kernels' in model && model.kernels instanceof Map;
}

function settingsOf({ size, ...options }: CompileOptions): ModelSettings {
  const { batch, taps, gradient, strict, precision, target, memory, tuning } = options;
  const settings = {
    batch,
    taps,
    gradient,
    strict,
    precision,
    target,
    memory,
    tuning,
    size: typeof size === 'number' ? [size] : size,
  };
  checkSettings(settings);
  return settings;
}
