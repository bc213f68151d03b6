// Which timesteps a batch of training is noised at, and what each sample's loss counts: uniform, or by how large losses
// were (importance sampling), all in float64 as the original computes it.
//
//   p_t = w_t / Σ w,   a sample's weight is 1 / (T p_t);   uniform: w = 1
//   loss-second-moment, once every timestep has 10 losses:  w_t = 0.999 √(mean of loss²) / Σ √…  +  0.001 / T
//
// Draws are Philox's: sample i of a step takes draw i mod 2 of block ⌊i / 2⌋ under [block, step, 0, timesteps]. A run that
// goes on from a step draws what it would have drawn, whatever its microbatches.
// Source: improved-diffusion, resample.py (LossSecondMomentResampler: history_per_term 10, uniform_prob 0.001).

import { philox4x32 } from '../sampler/philox.ts';
import { STREAMS, wordsOf } from '../sampler/streams.ts';

export const SCHEDULE_SAMPLERS = ['uniform', 'loss-second-moment'] as const;
export type ScheduleSampler = (typeof SCHEDULE_SAMPLERS)[number];

const HISTORY = 10;
const UNIFORM_PART = 0.001;

/** The last losses of each timestep: what a checkpoint has to keep of the sampler. */
export interface LossHistory {
  /** [T, 10], of each timestep the oldest first; what is not there yet is 0. */
  readonly losses: Float64Array;
  /** [T], how many there are, at most 10. */
  readonly counts: Int32Array;
}

/** Timesteps of a batch, with the weights of their losses. */
export interface DrawnTimesteps {
  readonly timesteps: Int32Array;
  readonly weights: Float32Array;
}

export function emptyHistory(steps: number): LossHistory {
  return { losses: new Float64Array(steps * HISTORY), counts: new Int32Array(steps) };
}

/** What is wrong with a history that was read for a process of so many steps, or null. */
export function historyFault({ losses, counts }: LossHistory, steps: number): string | null {
  if (counts.length !== steps || losses.length !== steps * HISTORY) {
    return `it has ${counts.length} timesteps with ${losses.length} losses, expected ${steps} with ${steps * HISTORY}`;
  }
  const count = counts.findIndex((n) => n < 0 || n > HISTORY);
  if (count >= 0) return `timestep ${count} has ${counts[count]} losses, expected 0 to ${HISTORY}`;
  const loss = losses.findIndex((value) => !Number.isFinite(value));
  return loss < 0 ? null : `a loss of timestep ${Math.floor(loss / HISTORY)} is ${losses[loss]}`;
}

/** The history after a batch: unweighted losses of its samples in their order. What is not finite is left out. */
export function withLosses(
  history: LossHistory,
  timesteps: ArrayLike<number>,
  losses: ArrayLike<number>,
): LossHistory {
  const after = { losses: history.losses.slice(), counts: history.counts.slice() };
  for (let i = 0; i < timesteps.length; i++) {
    const [t, loss] = [timesteps[i]!, losses[i]!];
    if (!Number.isFinite(loss)) continue;
    const row = after.losses.subarray(t * HISTORY, (t + 1) * HISTORY);
    if (after.counts[t]! < HISTORY) row[after.counts[t]!++] = loss;
    else {
      row.copyWithin(0, 1);
      row[HISTORY - 1] = loss;
    }
  }
  return after;
}

/** Whether every timestep has as many losses as count: before that all are drawn alike. */
export function isWarm({ counts }: LossHistory): boolean {
  return counts.every((count) => count === HISTORY);
}

/** The probability of each timestep, or null where all are alike. */
export function probabilities(history: LossHistory | null): Float64Array | null {
  if (history === null || !isWarm(history)) return null;
  const steps = history.counts.length;
  const roots = Float64Array.from({ length: steps }, (_, t) => {
    let sum = 0;
    for (let k = 0; k < HISTORY; k++) sum += history.losses[t * HISTORY + k]! ** 2;
    return Math.sqrt(sum / HISTORY);
  });
  const total = sumOf(roots);
  // losses that are all zero, or too large to be summed, say nothing
  if (!(total > 0) || !Number.isFinite(total)) return null;
  const weights = roots.map((root) => (root / total) * (1 - UNIFORM_PART) + UNIFORM_PART / steps);
  const sum = sumOf(weights);
  return weights.map((weight) => weight / sum);
}

/**
 * Timesteps of a step's samples.
 * @param steps of the process
 * @param chances of `probabilities`
 */
export function drawTimesteps(
  seed: number,
  step: number,
  count: number,
  steps: number,
  chances: Float64Array | null,
): DrawnTimesteps {
  const below = chances === null ? null : cumulative(chances);
  const timesteps = new Int32Array(count);
  const weights = new Float32Array(count).fill(1);
  const words = new Uint32Array(4);
  for (let i = 0; i < count; i++) {
    if (i % 2 === 0) philox4x32([i / 2, step, 0, STREAMS.timesteps], wordsOf(seed), words);
    const half = (i % 2) * 2;
    const fraction = (words[half]! * 2 ** 21 + (words[half + 1]! >>> 11)) / 2 ** 53;
    if (below === null || chances === null) {
      timesteps[i] = Math.floor(fraction * steps);
      continue;
    }
    const t = firstAbove(below, fraction);
    timesteps[i] = t;
    weights[i] = 1 / (steps * chances[t]!);
  }
  return { timesteps, weights };
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** Sums up to each timestep, the last of them exactly 1, as numpy.random.choice has them. */
function cumulative(chances: Float64Array): Float64Array {
  const below = new Float64Array(chances.length);
  let sum = 0;
  for (const [t, chance] of chances.entries()) {
    sum += chance;
    below[t] = sum;
  }
  return below.map((value) => value / sum);
}

/** The first place whose value is greater (searchsorted from the right). */
function firstAbove(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
