// The options of the calls that compile and open models, with what their values may be.

import type { Precision } from '../compiler/precision.ts';
import { CHECKED_LATER, type Check, countBelow, FLAG, isPlain, textOf } from '../runtime/arguments.ts';
import type { Bundle } from '../runtime/bundle.ts';
import { LARGEST_SEED } from '../runtime/sampler/noise.ts';
import { checkSettings, type ModelSettings, type Purpose, TIMEOUT } from './compile/model-settings.ts';
import { type TrainingStepRequest, trainingStepOf } from './compile/training-step.ts';
import { UsageError } from './errors.ts';
import { isCheckpointPath } from './graph/checkpoint-path.ts';
import { type GraphInput, isPath } from './graph-input.ts';
import type { WeightsInput } from './model/weights-input.ts';

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
  /**
   * What convolutions are chosen for: `latency`, the first sample, or `throughput`, the most samples a second. A sample's
   * bits are the same at every batch either way. Default `latency`.
   */
  readonly for?: Purpose | undefined;
  /** A file of `unetc tune`, or `none` for the cost model's choices. Default: what ships for the target. */
  readonly tuning?: string | undefined;
}

/** A classifier that guides a model, in `load`. */
export interface ClassifierInput {
  /** A graph, or a bundle that was compiled with `gradient`, of the model's channels, size and batch. */
  readonly model: GraphInput | Bundle;
  /** As those of the model. */
  readonly weights?: WeightsInput | undefined;
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
  readonly weights: WeightsInput;
  /** Leaves out tensors that the graph does not have, with a note that lists them. Default false. */
  readonly allowUnexpected?: boolean | undefined;
  /** A file of `unetc diff --write-rename-map`, by which the weights are read. */
  readonly renameMap?: string | undefined;
  /** Computes in float64 on the CPU instead of the GPU: slow, for checking. Default false. */
  readonly reference?: boolean | undefined;
  /** Seconds after which a pass that does not end is given up. Default: 60, or 20 times the estimate. */
  readonly timeout?: number | undefined;
  /** Runs a bundle as it is, without comparing it with what its graph compiles to. Default false. */
  readonly trust?: boolean | undefined;
  /** Guides the model in `sample`; it is opened on the same device. */
  readonly classifier?: ClassifierInput | undefined;
}

export interface LoadOptions extends Omit<BundleLoadOptions, 'weights'>, Omit<CompileOptions, 'target'> {
  /** As those of a bundle. Default: the model itself, where it is the path of a checkpoint that carries its graph. */
  readonly weights?: WeightsInput | undefined;
  /** Name of a target. Default `auto`: what suits the adapter. */
  readonly target?: string | undefined;
}

/** What random numbers are drawn from. */
export const SEED: Check = countBelow(LARGEST_SEED);

const WEIGHTS: Check = {
  expected: "a checkpoint's path, 'hash:SEED' or a Map of tensors by name",
  holds: (value) => value instanceof Map || (typeof value === 'string' && value !== ''),
};

/** Which parameters stay as they are. */
export const PATTERNS: Check = {
  expected: 'a pattern of parameters, such as time_embed, or a list of patterns',
  holds: (value) => [value].flat().every((one) => typeof one === 'string'),
};

/** What is compiled, by `checkSettings` but for what it is never given. */
export const COMPILE_OPTIONS = {
  batch: CHECKED_LATER,
  size: CHECKED_LATER,
  taps: CHECKED_LATER,
  gradient: CHECKED_LATER,
  strict: CHECKED_LATER,
  precision: CHECKED_LATER,
  target: CHECKED_LATER,
  memory: CHECKED_LATER,
  for: CHECKED_LATER,
  tuning: CHECKED_LATER,
} as const satisfies { readonly [name in keyof Required<CompileOptions>]: Check };

/** What a step of training is compiled with. */
export const STEP_OPTIONS = {
  train: FLAG,
  averages: CHECKED_LATER,
  accumulate: FLAG,
  clip_gradients: FLAG,
  freeze: PATTERNS,
} as const satisfies { readonly [name in keyof Required<TrainingStepRequest>]: Check };

export const LOAD_OPTIONS = {
  ...COMPILE_OPTIONS,
  weights: WEIGHTS,
  allowUnexpected: FLAG,
  renameMap: textOf('the path of a file'),
  reference: FLAG,
  timeout: TIMEOUT,
  trust: FLAG,
  classifier: { expected: "{ model, weights }, as in { model: 'c.json', weights: 'c.pt' }", holds: isPlain },
} as const satisfies { readonly [name in keyof Required<LoadOptions>]: Check };

export const CLASSIFIER_OPTIONS = {
  model: CHECKED_LATER,
  weights: WEIGHTS,
  allowUnexpected: FLAG,
  precision: CHECKED_LATER,
} as const satisfies { readonly [name in keyof Required<ClassifierInput>]: Check };

/** The options of a call as the compiler has them. Throws UsageError for a value that is off. */
export function settingsOf({ size, ...options }: CompileOptions & TrainingStepRequest): ModelSettings {
  const { batch, taps, gradient, strict, precision, target, memory, tuning } = options;
  const sizes = typeof size === 'number' ? [size] : size;
  const trainingStep = trainingStepOf(options);
  const settings = {
    ...{ batch, taps, gradient, strict, precision, target, memory, tuning, size: sizes, trainingStep },
    for: options.for,
  };
  checkSettings(settings);
  return settings;
}

/**
 * The weights that `call` was given, or its model itself where that is the path of a checkpoint, which may carry its graph.
 * Throws UsageError where there are none.
 */
export function ownWeights(
  call: string,
  model: GraphInput | Bundle,
  weights: WeightsInput | undefined,
): WeightsInput {
  const found = weights ?? checkpointOf(model);
  if (found !== null) return found;
  throw new UsageError(
    `weights: ${call} needs it; give ${WEIGHTS.expected}: only a checkpoint of unetc train, given as the model, brings its own`,
  );
}

/** The path of a checkpoint that stands where a graph does; null for any other graph. */
export function checkpointOf(model: GraphInput | Bundle): string | null {
  return isPath(model) && isCheckpointPath(model) ? model : null;
}
