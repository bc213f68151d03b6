// The loop of training: a batch, a step, what is logged of it; on and on, as the original's `run_step`. What a later run has
// to know beside the tensors is a value that every step gives anew.

import { type LossScale, lossScale, nextLossScale } from '../../runtime/training/loss-scale.ts';
import { type Means, withTerms, withValue } from '../../runtime/training/progress-table.ts';
import {
  emptyHistory,
  type LossHistory,
  probabilities,
  withLosses,
} from '../../runtime/training/timestep-sampler.ts';
import type { StepSettings, TrainingStep } from '../../runtime/training/training-step.ts';
import { notFinite } from './not-finite.ts';
import { averageRates, learningRate } from './rates.ts';
import type { TrainingSettings } from './settings.ts';
import type { StepSource } from './step-source.ts';

/** Where a run is, beside its tensors. */
export interface LoopState {
  /** The number of the next step: so many are done, where the run began at 0. */
  readonly position: number;
  /** Updates of AdamW so far. A run that goes on from the original's files may have others than its position. */
  readonly updates: number;
  /** The last losses of each timestep, where timesteps are drawn by them. */
  readonly history: LossHistory | null;
  /** What the loss is multiplied by in float16; null in float32. */
  readonly scale: LossScale | null;
  /** What was logged since the last row. */
  readonly means: Means;
}

/** A step that is done. */
export interface StepDone {
  /** Its number, from 0. */
  readonly step: number;
  /** Means over the batch of the loss and its terms, each sample's times its weight. */
  readonly losses: Readonly<Record<string, number>>;
  readonly grad_norm: number;
  readonly learning_rate: number;
  /** Whether parameters changed: in float16 they do not where a gradient overflowed, and the loss's scale is halved. */
  readonly taken: boolean;
  /** The logarithm to base 2 of what the next step multiplies the loss by; null in float32. */
  readonly lg_loss_scale: number | null;
  /** The row of the log that ends with this step; null between two rows. */
  readonly row: ReadonlyMap<string, number> | null;
  /** What the next step begins with. */
  readonly state: LoopState;
}

export interface LoopParts {
  readonly step: TrainingStep;
  readonly source: StepSource;
  readonly settings: TrainingSettings;
  /** Steps of the diffusion process. */
  readonly timesteps: number;
  /** What the log calls the terms of the loss, where it is not their names. */
  readonly keys?: Readonly<Record<string, string>> | undefined;
  /** What messages call a sample of the data, by its place there. */
  readonly nameOf?: ((sample: number) => string) | undefined;
  /** Looked at between two steps; the loop then ends, and what is done is whole. */
  readonly signal: AbortSignal;
}

/** A run at its beginning. */
export function initialState(
  settings: TrainingSettings,
  timesteps: number,
  { position = 0, updates = 0 }: { readonly position?: number; readonly updates?: number } = {},
): LoopState {
  const isAware = settings.schedule_sampler === 'loss-second-moment';
  const scale = settings.half === null ? null : lossScale(settings.half.lg_loss_scale);
  return { position, updates, history: isAware ? emptyHistory(timesteps) : null, scale, means: new Map() };
}

/**
 * The steps of a run from `state` to its end, or to the signal. The batch of the next step is prepared while one is computed.
 * Throws RuntimeError('gpu') where a loss or a gradient is not finite; in float16 where no smaller scale of the loss is left.
 */
export async function* trainingLoop(
  parts: LoopParts,
  state: LoopState,
): AsyncGenerator<StepDone, void, undefined> {
  const { step, source, settings, timesteps, signal } = parts;
  let now = state;
  let prepared = now.position < settings.steps ? source.next() : null;
  // a signal may have come already, and then nobody waits for it
  prepared?.catch(() => undefined);
  while (prepared !== null && !signal.aborted) {
    const batch = (await prepared)(now.history === null ? null : probabilities(now.history));
    const number = now.position;
    const learning_rate = learningRate(settings, number);
    const { weight_decay, max_grad_norm, seed } = settings;
    const updates = now.updates + 1;
    const ema_rates = averageRates(settings, updates);
    const { samples: _, ...inputs } = batch;
    const loss_scale = 2 ** (now.scale?.lg ?? 0);
    const by: StepSettings = {
      ...{ learning_rate, weight_decay, ema_rates, max_grad_norm, loss_scale, seed },
      update: updates,
      step: number,
    };
    const result = step.step(inputs, by);
    // whoever waits for the result hears of its failure; until then nobody does
    result.catch(() => undefined);
    prepared = number + 1 < settings.steps ? source.next() : null;
    prepared?.catch(() => undefined);
    const { losses, grad_norm, taken } = await result;
    const finite = losses.loss!.every(Number.isFinite);
    const scale = now.scale && nextLossScale(now.scale, { taken, finite }, settings.half?.fp16_scale_growth);
    if (scale === null && !(now.scale === null && taken && finite && Number.isFinite(grad_norm))) {
      const found = (await step.findBadKernel?.(inputs, by)) ?? null;
      throw notFinite({ ...now, nameOf: parts.nameOf }, batch, { losses, grad_norm, taken }, found);
    }
    const weighted = Object.fromEntries(
      Object.entries(losses).map(([name, values]) => [
        name,
        values.map((value, i) => value * batch.weights[i]!),
      ]),
    );
    const terms = finite
      ? withTerms(now.means, batch.timesteps, timesteps, renamed(weighted, parts.keys))
      : now.means;
    const means = taken ? withValue(terms, 'grad_norm', grad_norm) : terms;
    const isRow = number % settings.log_interval === 0;
    now = {
      position: number + 1,
      updates: taken ? updates : now.updates,
      history: now.history && finite ? withLosses(now.history, batch.timesteps, losses.loss!) : now.history,
      scale,
      means: isRow ? new Map() : means,
    };
    yield {
      step: number,
      losses: Object.fromEntries(Object.entries(weighted).map(([name, values]) => [name, meanOf(values)])),
      ...{ grad_norm, learning_rate, taken },
      lg_loss_scale: scale?.lg ?? null,
      row: isRow ? rowOf(means, number, settings, scale) : null,
      state: now,
    };
  }
}

function renamed<T>(
  terms: Readonly<Record<string, T>>,
  keys: LoopParts['keys'],
): Readonly<Record<string, T>> {
  if (keys === undefined) return terms;
  return Object.fromEntries(Object.entries(terms).map(([name, values]) => [keys[name] ?? name, values]));
}

/** With the original's keys. */
function rowOf(
  means: Means,
  step: number,
  { batch }: TrainingSettings,
  scale: LossScale | null,
): ReadonlyMap<string, number> {
  const values = [...means].map(([key, { mean }]) => [key, mean] as const);
  const ofScale = scale === null ? [] : [['lg_loss_scale', scale.lg] as const];
  return new Map([...values, ...ofScale, ['step', step], ['samples', (step + 1) * batch]]);
}

function meanOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
