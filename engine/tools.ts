// What the command line does beside running models, for programs: validate, stats, diff, infer, check, inputs. Arguments are
// checked in the words of the API; what a call needs beyond reading graphs is loaded when it is called.

import { type Diagnostic, GraphError } from '../compiler/diagnostics.ts';
import type { JsonObject } from '../compiler/families/family.ts';
import { parameterCount, parameters } from '../compiler/graph/parameters.ts';
import type { CheckReport } from '../compiler/import/check.ts';
import type { Precision } from '../compiler/precision.ts';
import {
  CHECKED_LATER,
  checkArgument,
  checkOptions,
  FLAG,
  oneOf,
  textOf,
  WHOLE_NUMBERS,
} from '../runtime/arguments.ts';
import type { Bundle } from '../runtime/bundle.ts';
import type { DenoiserInputs } from '../runtime/sampler/denoiser.ts';
import type { GraphStats } from './compile/graph-stats.ts';
import type { TrainingStepRequest } from './compile/training-step.ts';
import type { DiffDocument } from './diff/document.ts';
import { type GraphInput, graphOfInput, isBundle, isPath, sourceOfInput } from './graph-input.ts';
import { silentHost } from './host.ts';
import type { CompileOptions } from './options.ts';
import { COMPILE_OPTIONS, STEP_OPTIONS, settingsOf } from './options.ts';

/** What `validate` found. */
export type Validation =
  | {
      readonly valid: true;
      readonly name: string;
      readonly image_size: readonly number[];
      readonly params: number;
      readonly tensors: number;
      /** Warnings alone. */
      readonly diagnostics: readonly Diagnostic[];
    }
  /** Every fault, and warnings among them. */
  | { readonly valid: false; readonly diagnostics: readonly Diagnostic[] };

export interface ValidateOptions extends Pick<CompileOptions, 'size'> {}

/** Checks a graph. Faults are in the result; throws UsageError for arguments that are off. */
export function validate(graph: GraphInput, options: ValidateOptions = {}): Validation {
  checkOptions('validate', options, VALIDATE_OPTIONS);
  const { size } = settingsOf(options);
  try {
    const { graph: built, warnings } = graphOfInput(graph, size);
    const { name, image_size } = built;
    const counts = { params: parameterCount(built), tensors: parameters(built).length };
    return { valid: true, name, image_size, ...counts, diagnostics: warnings };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return { valid: false, diagnostics: error.diagnostics };
  }
}

export interface StatsOptions extends Omit<CompileOptions, 'taps' | 'gradient'>, TrainingStepRequest {}

/** What a graph costs before anything runs, as `unetc stats --json`. Rejects with GraphError and UsageError. */
export async function stats(graph: GraphInput, options: StatsOptions = {}): Promise<GraphStats> {
  checkOptions('stats', options, STATS_OPTIONS);
  const settings = settingsOf(options);
  const { statsOf } = await import('./compile/graph-stats.ts');
  return statsOf(graphOfInput(graph, settings.size), settings);
}

export interface DiffOptions {
  /** The least severity that `summary.failing` counts. Default `breaking`. */
  readonly failOn?: 'breaking' | 'dangerous' | 'info' | 'never' | undefined;
  /** A file of accepted findings, which do not fail. They are of a graph's file: side B has to be a path. */
  readonly accept?: string | undefined;
  /** `auto` compares the schedules of graphs up to a size that takes no patience. Default `auto`. */
  readonly schedule?: 'auto' | 'always' | 'never' | undefined;
  /** What graphs are compiled for. Default `generic`. */
  readonly target?: string | undefined;
  /** Adds the sources of kernels that differ. Default false. */
  readonly kernels?: boolean | undefined;
  /** Also compares what a step of training takes, and what becomes of runs of A (`training`). Default false. */
  readonly train?: boolean | undefined;
  /** With `train`: samples that are computed at once. Default 16. */
  readonly batch?: number | undefined;
  /** With `train`: moving averages of the parameters. Default 1. */
  readonly averages?: number | undefined;
  /** With `train`: `f16` trains in float16. Default `f32`. */
  readonly precision?: Precision | undefined;
  /** With `train`: the most bytes that a step may take. Default: as many as it does. */
  readonly memory?: number | undefined;
}

/**
 * What changed between two models, as `unetc diff --format json` (docs/diff.schema.json). A side is a graph, a bundle, or as
 * a path also a checkpoint, or `git:REF:PATH`.
 * Rejects with GraphError and RuntimeError where a side cannot be read, and UsageError.
 */
export async function diff(
  a: GraphInput | Bundle,
  b: GraphInput | Bundle,
  options: DiffOptions = {},
): Promise<DiffDocument> {
  checkOptions('diff', options, DIFF_OPTIONS);
  const { failOn = 'breaking', schedule = 'auto', target = 'generic', kernels = false, accept } = options;
  const { train, batch, averages, precision, memory } = options;
  settingsOf({ target });
  const { trainingChoice } = await import('./diff/training-choice.ts');
  const training = trainingChoice({ train, batch, averages, precision, memory });
  const { diffOf } = await import('./diff/compare-sides.ts');
  const { readAccepted } = await import('./diff/accepted.ts');
  const job = {
    options: { failOn, schedule, target, kernels, training },
    accepted: accept === undefined ? null : readAccepted(accept),
  };
  return diffOf(await sideOf(a, 'a'), await sideOf(b, 'b'), job);
}

async function sideOf(input: GraphInput | Bundle, label: string) {
  checkArgument(label, input, SIDE);
  if (isPath(input)) return input;
  const { bundleSide, graphSide } = await import('./diff/side.ts');
  if (typeof input === 'object' && isBundle(input)) {
    const source = await sourceOfInput(input, {});
    return bundleSide(source.kind === 'bundle' ? source.bundle : input, label, null);
  }
  return graphSide(graphOfInput(input, undefined), label, null);
}

/** The graph that a checkpoint belongs to. */
export interface Inferred {
  /** A graph file as an object, which `compile` and `load` take. */
  readonly graph: JsonObject;
  /** The keys of `graph` whose values are guesses, as JSON pointers, with what speaks for a value. */
  readonly undetermined: readonly { readonly key: string; readonly hint: string }[];
  /** What was taken off every tensor's name. */
  readonly prefix: string;
  /** Tensors of the checkpoint. */
  readonly tensors: number;
  readonly notes: readonly string[];
}

/**
 * Reads the head of a checkpoint, `FILE` or `FILE#KEY`, and finds its graph. Rejects with GraphError where no graph has such
 * tensors, RuntimeError('weights') and UsageError.
 */
export async function infer(checkpoint: string): Promise<Inferred> {
  checkArgument('checkpoint', checkpoint, CHECKPOINT);
  const { inferFromCheckpoint } = await import('./checkpoint/infer-graph.ts');
  const notes: string[] = [];
  const { spec, undetermined, prefix, tensors } = inferFromCheckpoint(checkpoint, silentHost(notes));
  return { graph: spec, undetermined, prefix, tensors, notes };
}

export interface CheckOptions {
  /** Leaves out tensors that the graph does not have, with a note that lists them. Default false. */
  readonly allowUnexpected?: boolean | undefined;
  /** A file of `unetc diff --write-rename-map`, by which the checkpoint is read. */
  readonly renameMap?: string | undefined;
}

/**
 * Whether a checkpoint fits a graph, and what does not: `fits`, `counts`, `options`, `layers`. Its head alone is read.
 * Rejects with GraphError, RuntimeError('weights') and UsageError.
 */
export async function check(
  graph: GraphInput,
  checkpoint: string,
  options: CheckOptions = {},
): Promise<CheckReport & { readonly notes: readonly string[] }> {
  checkOptions('check', options, CHECK_OPTIONS);
  checkArgument('checkpoint', checkpoint, CHECKPOINT);
  const { checkAgainst } = await import('./checkpoint/infer-graph.ts');
  const notes: string[] = [];
  const report = await checkAgainst(graphOfInput(graph, undefined), checkpoint, silentHost(notes), options);
  return { ...report, notes };
}

export interface InputsOptions extends Pick<CompileOptions, 'batch' | 'size'> {
  /** Of the noise, one a sample: that from which `sample` draws the samples of these seeds. Default: 0, 1, ... */
  readonly seeds?: readonly number[] | undefined;
  /** Whole steps of the graph's process, cycled. Default: spread over it. */
  readonly timesteps?: readonly number[] | undefined;
  /** Class labels, cycled. Default: 0, 1, ... */
  readonly class?: readonly number[] | undefined;
  /** Low-resolution images as a path, which `unetc sample --low-res` takes. Default: noise in [-1, 1]. */
  readonly low_res?: string | undefined;
  /** Adds the labels that the gradient of a classifier is for. Default false. */
  readonly gradient?: boolean | undefined;
}

/**
 * Inputs that a model takes, for its `run`: noise by seeds, timesteps, labels. The same arguments give the same values.
 * Rejects with GraphError, RuntimeError and UsageError.
 */
export async function inputs(
  model: GraphInput | Bundle,
  options: InputsOptions = {},
): Promise<DenoiserInputs> {
  checkOptions('inputs', options, INPUTS_OPTIONS);
  const { seeds, timesteps, class: labels, low_res: lowRes, gradient, ...own } = options;
  const settings = { ...settingsOf(own), gradient };
  const { makeInputs } = await import('./jobs/make-inputs.ts');
  const source = await sourceOfInput(model, settings);
  return makeInputs(source, { ...settings, seeds, timesteps, labels, lowRes }) as unknown as DenoiserInputs;
}

const PATH = textOf('the path of a file');
const CHECKPOINT = textOf('the path of a checkpoint, with #KEY for a part of it');
const SIDE = {
  expected: 'a graph, a bundle, a checkpoint or git:REF:PATH',
  holds: (value: unknown) =>
    (typeof value === 'object' && value !== null) || (typeof value === 'string' && value !== ''),
};

/** What each call takes; a test holds them to the types above. */
export const VALIDATE_OPTIONS = { size: CHECKED_LATER };
const { taps: _, gradient: _gradient, ...counted } = COMPILE_OPTIONS;
export const STATS_OPTIONS = { ...counted, ...STEP_OPTIONS };
export const DIFF_OPTIONS = {
  failOn: oneOf(['breaking', 'dangerous', 'info', 'never']),
  accept: PATH,
  schedule: oneOf(['auto', 'always', 'never']),
  target: CHECKED_LATER,
  kernels: FLAG,
  train: FLAG,
  batch: CHECKED_LATER,
  averages: CHECKED_LATER,
  precision: CHECKED_LATER,
  memory: CHECKED_LATER,
};
export const CHECK_OPTIONS = { allowUnexpected: FLAG, renameMap: PATH };
export const INPUTS_OPTIONS = {
  batch: CHECKED_LATER,
  size: CHECKED_LATER,
  seeds: WHOLE_NUMBERS,
  timesteps: WHOLE_NUMBERS,
  class: WHOLE_NUMBERS,
  low_res: PATH,
  gradient: FLAG,
};
