// How a model is to be compiled, checked as values, and whether a bundle was compiled so.

import { LIMITS } from '../../compiler/format/limits.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { isPrecision, type Precision } from '../../compiler/precision.ts';
import type { UpdateOptions } from '../../compiler/schedule/update.ts';
import type { Check } from '../../runtime/arguments.ts';
import type { Manifest } from '../../runtime/bundle.ts';
import { learnsVariance } from '../../runtime/sampler/process.ts';
import { averagesIn } from '../../runtime/training/averages.ts';
import { UsageError } from '../errors.ts';
import { AUTO, targetFor } from './target-choice.ts';
import type { TrainingStepSettings } from './training-step.ts';

/** What is compiled into a bundle. What is not given is the graph's or the bundle's own. */
export interface ModelSettings {
  /** Images in a forward pass; 1 where not given. */
  readonly batch?: number | undefined;
  /** Image size, slowest dimension first; one number stands for all dimensions. */
  readonly size?: readonly number[] | undefined;
  /** Adds the feature vectors of every block to the outputs. */
  readonly taps?: boolean | undefined;
  /** Adds a classifier's gradient to the outputs, and the labels that it is for to the inputs. */
  readonly gradient?: boolean | undefined;
  /** Compiles the loss of a training batch and the gradients of all parameters in the place of the forward pass. */
  readonly gradients?: boolean | undefined;
  /** Compiles the losses of a batch alone in the place of the forward pass. */
  readonly losses?: boolean | undefined;
  /** Draws dropout there; without it nothing is dropped, as in a forward pass. */
  readonly dropout?: boolean | undefined;
  /** Compiles a whole step of training in the place of the forward pass. */
  readonly trainingStep?: TrainingStepSettings | undefined;
  /** Leaves out every algorithm that is less exact than the plain one. */
  readonly strict?: boolean | undefined;
  readonly precision?: Precision | undefined;
  /** Name of a target, or `auto`. */
  readonly target?: string | undefined;
  /** The most bytes that weights and activations may take on the device. */
  readonly memory?: number | undefined;
  /**
   * What convolutions are chosen for: the first sample, or the most samples a second. Of the batch no choice depends, so a
   * sample's bits are the same at every batch either way. Default `latency`.
   */
  readonly for?: Purpose | undefined;
  /** A tuning file, or `none` for the cost model's choices; not given, what ships for the target. */
  readonly tuning?: string | undefined;
}

/** What convolutions are chosen for. */
export const PURPOSES = ['latency', 'throughput'] as const;

export type Purpose = (typeof PURPOSES)[number];

/** The most images in a forward pass. */
export const LARGEST_BATCH = 65536;

/** Throws UsageError for settings that no graph can be compiled with; callers in JavaScript may give anything. */
export function checkSettings(settings: ModelSettings): void {
  const { batch, size, precision, target, memory, tuning, trainingStep } = settings;
  for (const name of ['taps', 'gradient', 'dropout', 'strict'] as const) {
    const value = settings[name];
    if (value !== undefined && typeof value !== 'boolean') throw off(name, `'${value}'`, 'true or false');
  }
  if (tuning !== undefined && typeof tuning !== 'string') {
    throw off('tuning', tuning, 'the path of a file, or none');
  }
  if (settings.for !== undefined && !PURPOSES.includes(settings.for)) {
    throw off('for', settings.for, 'latency or throughput');
  }
  if (batch !== undefined && !isCount(batch, LARGEST_BATCH)) {
    throw off('batch', batch, `a whole number from 1 to ${LARGEST_BATCH}`);
  }
  if (
    size !== undefined &&
    !(Array.isArray(size) && size.length > 0 && size.every((n) => isCount(n, LIMITS.size)))
  ) {
    throw off('size', JSON.stringify(size), `whole numbers from 1 to ${LIMITS.size}`);
  }
  if (precision !== undefined && !isPrecision(precision)) {
    throw off('precision', `'${precision}'`, 'f32 or f16');
  }
  if (target !== undefined && target !== AUTO) targetFor(target);
  if (
    trainingStep !== undefined &&
    !(
      Number.isInteger(trainingStep.averages) &&
      trainingStep.averages >= 0 &&
      trainingStep.averages <= MOST_AVERAGES
    )
  ) {
    throw off('averages', trainingStep.averages, `a whole number from 0 to ${MOST_AVERAGES}`);
  }
  if (memory !== undefined && !isCount(memory, Number.MAX_SAFE_INTEGER)) {
    throw off('memory', memory, 'a whole number of bytes above 0');
  }
}

/** The most moving averages of the parameters that a step of training may have. */
export const MOST_AVERAGES = 16;

/** The most seconds that a timeout may have: what a timer of the system counts to, some 24 days. */
const LONGEST_TIMEOUT = 2_000_000;

/** What a timeout may be, wherever one is given. */
export const TIMEOUT: Check = {
  expected: `a number of seconds above 0 and at most ${LONGEST_TIMEOUT}, such as 60`,
  holds: (value) => typeof value === 'number' && value > 0 && value <= LONGEST_TIMEOUT,
};

function off(name: string, found: unknown, expected: string): UsageError {
  return new UsageError((option) => `${option(name)}: found ${found}, expected ${expected}`);
}

/** Whether a bundle was compiled with the gradient of a classifier. */
export function givesGradient({ outputs }: Manifest): boolean {
  return outputs.some(({ name }) => name === 'gradient');
}

/** Throws UsageError where a gradient is asked for of a model that has none. */
export function checkGradient({ name, pool }: Graph, { gradient }: ModelSettings): void {
  if (!gradient || pool !== null) return;
  throw new UsageError(
    (option) =>
      `${option('gradient')}: ${name} is no classifier; give a graph with "adm_classifier", or leave it out`,
  );
}

/** Whether a bundle computes the loss and the gradients of a training batch, and gives them. */
export function givesGradients(manifest: Manifest): boolean {
  return manifest.passes[0]?.name === 'gradients' && trainingOf(manifest) === undefined;
}

/** How a bundle was compiled that has a whole step of training; undefined for all others. */
export function trainingOf(manifest: Manifest): UpdateOptions | undefined {
  const has = (pass: string) => manifest.passes.some(({ name }) => name === pass);
  if (!has('update') && !has('step')) return undefined;
  const kept = new Set(manifest.state.map(({ name }) => name));
  const frozen = manifest.parameters.flatMap(({ name }) =>
    kept.has(`parameters.${name}`) && !kept.has(`exp_avg.${name}`) ? [name] : [],
  );
  return {
    averages: averagesIn(manifest),
    accumulates: has('accumulate'),
    waits: has('update'),
    ...(frozen.length > 0 ? { frozen } : {}),
  };
}

/** Throws UsageError for a model that has no loss. A classifier has cross-entropy. */
export function checkLoss({ name, pool, in_channels, out_channels, diffusion }: Graph): void {
  if (pool !== null) return;
  const outputs = learnsVariance(diffusion.variance) ? 2 * in_channels : in_channels;
  if (out_channels !== outputs) {
    throw new UsageError(
      `${name} has ${out_channels} output channels, and a loss with the variance "${diffusion.variance}" takes ${outputs}; ` +
        'change out_channels or diffusion.variance',
    );
  }
}

/** Throws UsageError where gradients of a training batch are asked for in a way that there are none. */
export function checkGradients(graph: Graph, settings: ModelSettings): void {
  const { gradients, trainingStep, gradient, dropout, taps } = settings;
  if (!gradients && trainingStep === undefined) {
    if (!dropout) return;
    throw new UsageError(
      (option) =>
        `${option('dropout')}: a forward pass drops nothing; compile a training batch with ${option('gradients')}, or leave it out`,
    );
  }
  checkLoss(graph);
  for (const [other, given] of Object.entries({ gradient, taps })) {
    if (!given) continue;
    throw new UsageError(
      (option) => `${option(other)}: a training batch gives losses and gradients alone; leave it out`,
    );
  }
}

/** Throws UsageError where a bundle was compiled with other settings than are asked for; all of them are named. */
export function checkBundleFits(manifest: Manifest, label: string, settings: ModelSettings): void {
  const { batch, size, taps, gradient, strict, precision, target, tuning } = settings;
  const trains = trainingOf(manifest);
  if (trains !== undefined || settings.trainingStep !== undefined) checkTraining(trains, label, settings);
  else if (givesGradients(manifest) !== (settings.gradients ?? false)) {
    throw new UsageError((option) =>
      settings.gradients
        ? `${label}: the bundle computes a forward pass; compile the graph with ${option('gradients')}`
        : `${label}: the bundle computes the gradients of a training batch, for unetc gradients; compile the graph without ${option('gradients')}`,
    );
  }
  const differentiated = givesGradient(manifest);
  const dims = manifest.image_size.length;
  const fullSize = size?.length === 1 ? Array.from({ length: dims }, () => size[0]!) : size;
  const asked: readonly (readonly [name: string, asked: string | undefined, has: string])[] = [
    ['batch', batch?.toString(), String(manifest.batch)],
    ['size', fullSize?.join('x'), manifest.image_size.join('x')],
    ['precision', precision, manifest.precision],
    ['target', target === AUTO ? undefined : target, manifest.target],
    ['taps', taps ? 'with' : undefined, manifest.taps ? 'with' : 'without'],
    ['gradient', gradient ? 'with' : undefined, differentiated ? 'with' : 'without'],
    ['tuning', tuning, 'the choices that are in it'],
    ['for', settings.for, manifest.compiler.throughput ? 'throughput' : 'latency'],
    ['strict', strict ? 'with' : undefined, manifest.strict ? 'with' : 'without'],
  ];
  const differing = asked.filter(([, wanted, has]) => wanted !== undefined && wanted !== has);
  if (differing.length === 0) return;
  throw new UsageError((option) => {
    const faults = differing.map(([name, wanted, has]) =>
      has === 'without'
        ? `${option(name)}: the bundle was compiled without ${name === 'taps' ? 'them' : 'it'}`
        : `${option(name)} ${wanted}: the bundle was compiled for ${has}`,
    );
    return `${label}: ${faults.join(`\n${label}: `)}\nleave the option out, or compile the graph again with it`;
  });
}

function checkTraining(
  found: UpdateOptions | undefined,
  label: string,
  { trainingStep }: ModelSettings,
): void {
  if (found !== undefined && trainingStep === undefined) {
    throw new UsageError(
      (option) => `${label}: the bundle has a step of training; compile the graph without ${option('train')}`,
    );
  }
  if (trainingStep?.freeze !== undefined) {
    throw new UsageError(
      (option) =>
        `${option('freeze')}: what a bundle has frozen is compiled into it; leave the option out, or compile the graph again with it`,
    );
  }
  const fits = found?.averages === trainingStep?.averages && found?.accumulates === trainingStep?.accumulates;
  // where no norm is limited, it is no matter when parameters change
  if (fits && (found?.waits || !trainingStep?.waits)) return;
  throw new UsageError(
    (option) =>
      `${label}: the bundle was not compiled for ${trainingStep?.averages} moving averages, ` +
      `${trainingStep?.accumulates ? 'with' : 'without'} microbatches${trainingStep?.waits ? ' and with a largest norm' : ''}; compile the graph with ${option('train')}`,
  );
}

function isCount(value: unknown, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most;
}
