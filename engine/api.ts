// The Node API: `import { compile, load } from 'unetc'`. The command line is a thin skin over the same parts.

import type { Diagnostic } from '../compiler/diagnostics.ts';
import { checkArgument, checkOptions, FLAG, textOf } from '../runtime/arguments.ts';
import type { Bundle } from '../runtime/bundle.ts';
import { type LoadedModel, loadedModel } from '../runtime/loaded-model.ts';
import type { Tensor } from '../runtime/tensor.ts';
import { bundleFiles, writeBundle } from './compile/bundle-folder.ts';
import { printStage, STAGES, type Stage } from './compile/compile-model.ts';
import { compileWith } from './compile/compile-with.ts';
import { checkMemory } from './compile/memory-limit.ts';
import { checkSettings } from './compile/model-settings.ts';
import { targetFor } from './compile/target-choice.ts';
import type { TrainingStepRequest } from './compile/training-step.ts';
import { limitWarnings } from './compile/usual-limits.ts';
import { UsageError } from './errors.ts';
import { type GraphInput, graphOfInput, sourceOfInput } from './graph-input.ts';
import { silentHost, warnAll } from './host.ts';
import type { ModelSource, SourceOptions } from './model/model-source.ts';
import { type OpenedModel, openSource } from './model/open-model.ts';
import { weightsOf } from './model/weights-input.ts';
import {
  CLASSIFIER_OPTIONS,
  type ClassifierInput,
  COMPILE_OPTIONS,
  type CompileOptions,
  checkpointOf,
  LOAD_OPTIONS,
  type LoadOptions,
  ownWeights,
  SEED,
  STEP_OPTIONS,
  settingsOf,
} from './options.ts';
import { initialWeights as drawWeights } from './training/init.ts';

export type { Diagnostic, Position } from '../compiler/diagnostics.ts';
export { GraphError, InternalError } from '../compiler/diagnostics.ts';
export type { Diffusion } from '../compiler/graph/graph.ts';
export type { Bundle, Manifest } from '../runtime/bundle.ts';
export type { EncodeInput, EncodeOptions, SampleOptions } from '../runtime/call-options.ts';
export type { RuntimeErrorKind } from '../runtime/errors.ts';
export { RuntimeError } from '../runtime/errors.ts';
export type { Latent, LoadedModel, ModelInterface, ModelOutputs } from '../runtime/loaded-model.ts';
export type { DenoiserInputs as ModelInputs } from '../runtime/sampler/denoiser.ts';
export type { Guidance, SampleRequest } from '../runtime/sampler/request.ts';
export type { Sample, StepReport } from '../runtime/sampler/sample.ts';
export type { Sampler } from '../runtime/sampler/samplers/index.ts';
export type { Tensor } from '../runtime/tensor.ts';
export * from './checkpoint/import-diffusers.ts';
export type { Stage } from './compile/compile-model.ts';
export type { TrainingStepRequest } from './compile/training-step.ts';
export type { Batch, BatchSource, BatchStream, Dataset, OpenDataOptions } from './data/entry.ts';
export { batchesBy, openData } from './data/entry.ts';
export { UsageError } from './errors.ts';
export * from './evaluation/entry.ts';
export * from './gradients.ts';
export { defineUNet, type GraphFile } from './graph/typescript/define-unet.ts';
export type { GraphInput } from './graph-input.ts';
export type { BundleLoadOptions, ClassifierInput, CompileOptions, LoadOptions } from './options.ts';
export * from './tools.ts';
export * from './training/entry.ts';

/** A tensor whose shape is known to the type checker. `data` is row-major float32. */
export interface ShapedTensor<Shape extends readonly number[]> {
  readonly shape: Shape;
  readonly data: Float32Array;
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

/**
 * Compiles a graph for a target. No GPU is touched; the same graph and options give the same bytes.
 * Throws GraphError with every fault of the graph, and UsageError for an option that is off.
 */
export function compile(
  graph: GraphInput,
  options: CompileOptions & TrainingStepRequest = {},
): CompiledGraph {
  checkOptions('compile', options, { ...COMPILE_OPTIONS, ...STEP_OPTIONS });
  const settings = settingsOf(options);
  const source = graphOfInput(graph, settings.size);
  const target = targetFor(settings.target ?? 'generic');
  const compiled = compileWith(source.graph, settings, target, source);
  checkMemory(compiled.bundle.manifest, settings.memory, 'graph');
  return {
    ...compiled.bundle,
    warnings: [...source.warnings, ...limitWarnings(compiled.bundle.manifest)],
    emit(stage) {
      if (STAGES.includes(stage)) return printStage(compiled, stage);
      throw new UsageError(`stage: found ${stage}, expected one of ${STAGES.join(', ')}`);
    },
    async write(folder, options = {}) {
      checkArgument('folder', folder, textOf('the path of a folder'));
      checkOptions('write', options, { types: FLAG });
      const { types = false } = options;
      const { manifest } = compiled.bundle;
      const module = types ? (await import('./compile/types-module.ts')).typesModule(manifest) : undefined;
      writeBundle(folder, bundleFiles(compiled.bundle, module));
    },
  };
}

/**
 * Weights to begin training with, by name: as PyTorch and the original of the family would initialise them. `seed` is a whole
 * number, by default 0. Throws GraphError, and UsageError for another seed.
 */
export function initialWeights(
  graph: GraphInput,
  options: { readonly seed?: number | undefined } = {},
): ReadonlyMap<string, Tensor> {
  checkOptions('initialWeights', options, { seed: SEED });
  return drawWeights(graphOfInput(graph, undefined).graph, options.seed ?? 0);
}

/**
 * Opens a model with its weights on the GPU that is here: a bundle (from `compile`, or the path of its folder), or a
 * graph, which is compiled for the adapter; a checkpoint that carries its graph is both. Rejects with GraphError, RuntimeError of kind `bundle`, `weights`,
 * `adapter` or `gpu`, and UsageError for options that are off or that a bundle was not compiled for.
 */
export async function load(model: GraphInput | Bundle, options: LoadOptions = {}): Promise<LoadedModel> {
  checkOptions('load', options, LOAD_OPTIONS);
  const weights = ownWeights('load', model, options.weights);
  const settings = settingsOf(options);
  const { trust, timeout } = options;
  const source = await sourceOfInput(model, { ...settings, trust });
  const notes: string[] = [];
  const host = silentHost(notes);
  if (source.kind === 'graph') warnAll(host, source.warnings, source.label);
  const { renameMap, reference, allowUnexpected, classifier } = options;
  const opening = { ...settings, reference, allowUnexpected, timeout };
  if (classifier === undefined)
    return loaded(
      await openSource(source, await weightsOf(weights, renameMap, source), opening, host),
      notes,
    );
  const beside = await readClassifier(classifier, { ...settings, trust });
  const guiding = ownWeights('classifier', classifier.model, classifier.weights);
  if (beside.kind === 'graph') warnAll(host, beside.warnings, beside.label);
  const own = await weightsOf(weights, renameMap, source);
  try {
    const { openGuidedSource } = await import('./model/open-guided.ts');
    const guide = {
      ...classifier,
      source: beside,
      weights: await weightsOf(guiding, undefined, beside),
    };
    return loaded(await openGuidedSource(source, own, guide, opening, host), notes);
  } catch (error) {
    own.close();
    throw error;
  }
}

function loaded({ graph, ...opened }: OpenedModel, notes: readonly string[]): LoadedModel {
  return loadedModel({ ...opened, name: graph.name, diffusion: graph.diffusion, notes });
}

/** Throws UsageError where it is no classifier's input. */
function readClassifier(
  classifier: ClassifierInput,
  { batch, size, trust }: SourceOptions,
): Promise<ModelSource> {
  checkOptions('classifier', classifier, CLASSIFIER_OPTIONS);
  const { model, weights, precision } = classifier;
  if (model === undefined || (weights ?? checkpointOf(model)) === null) {
    throw new UsageError(
      "classifier: expected a model and its weights, as in { model: 'c.json', weights: 'c.pt' }",
    );
  }
  checkSettings({ precision });
  return sourceOfInput(model, { batch, size, precision, trust }, 'classifier');
}
