// What a sampler is: a step that asks the model as often as it needs to, and what can be said of it in words.

import type { DiffusionProcess } from '../process.ts';

/** Where a step asks the model: an image and the index of the process that it is at. */
export interface Question {
  readonly index: number;
  readonly x: Float32Array;
}

/** What a step is told of an image that it asked for, each array of the sample's length or with the variance behind it. */
export interface Answer {
  /** The model's output. */
  readonly output: Float32Array;
  /** The gradient of scale log p(label | x_t) by x_t, of the classifier that guides; null without one. */
  readonly gradient: Float32Array | null;
}

/** What a step is made from. */
export interface StepInput<Options> {
  readonly process: DiffusionProcess;
  /** Of the process; index 0 is the last step, and leads to the image. */
  readonly index: number;
  /** x_t. */
  readonly x: Float32Array;
  readonly options: Options;
  /** What the step before kept; null at the first one. */
  readonly kept: Float32Array | null;
  /** Whether guesses at x_0 are clipped to the process's `clip_range`. */
  readonly clip: boolean;
  /** Standard normal noise of the sample's length, the same at each call. */
  noise(): Float32Array;
}

/** What a step gives, none of it in the memory of an answer, which the answers to later steps are written to. */
export interface StepResult {
  /** x_t-1. */
  readonly x: Float32Array;
  /** The guess at x_0 that it was made from. */
  readonly guess: Float32Array;
  /** What the next step reads of this one, of the sample's length. */
  readonly kept: Float32Array | null;
}

/**
 * A step under way: it yields questions, and is given the answer to each. Which indices it asks for depends on its
 * own index alone, so that the steps of a batch take their forward passes together.
 */
export type Step = Generator<Question, StepResult, Answer>;

/** A sampler; the table is in index.ts. */
export interface SamplerDef<Options extends object> {
  /** One line for help and documents. */
  readonly about: string;
  /** The options, with what they are where nobody says. */
  readonly defaults: Options;
  /** Throws RuntimeError('input') where the process does not allow the options. */
  check(process: DiffusionProcess, options: Options): void;
  /** The step from x_t to x_t-1. */
  step(input: StepInput<Options>): Step;
}
