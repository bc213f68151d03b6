// Timesteps of training: drawn evenly or by how large losses were, from any step, with a history that a checkpoint keeps.

import { describe, expect, test } from 'vitest';
import {
  drawTimesteps,
  emptyHistory,
  historyFault,
  isWarm,
  type LossHistory,
  probabilities,
  withLosses,
} from '../../../runtime/training/timestep-sampler.ts';

/** Ten losses of every timestep, each the square root of the timestep's number plus one. */
function warm(steps: number): LossHistory {
  let history = emptyHistory(steps);
  for (let round = 0; round < 10; round++) {
    const timesteps = Array.from({ length: steps }, (_, t) => t);
    history = withLosses(
      history,
      timesteps,
      timesteps.map((t) => t + 1),
    );
  }
  return history;
}

describe('uniform', () => {
  test('every timestep is as likely, and counts 1', () => {
    const counts = new Float64Array(8);
    for (let step = 0; step < 500; step++) {
      const { timesteps, weights } = drawTimesteps(3, step, 32, 8, null);
      for (const t of timesteps) counts[t]!++;
      expect(weights.every((weight) => weight === 1)).toBe(true);
    }
    for (const count of counts)
      expect(Math.abs(count - 2000)).toBeLessThan(5 * Math.sqrt(16_000 * (1 / 8) * (7 / 8)));
  });

  test('a larger batch begins with the same timesteps; other steps and seeds have others', () => {
    const small = drawTimesteps(1, 7, 5, 4000, null).timesteps;
    expect([...drawTimesteps(1, 7, 64, 4000, null).timesteps.subarray(0, 5)]).toEqual([...small]);
    expect([...drawTimesteps(1, 8, 5, 4000, null).timesteps]).not.toEqual([...small]);
    expect([...drawTimesteps(2, 7, 5, 4000, null).timesteps]).not.toEqual([...small]);
    expect([...small].every((t) => t >= 0 && t < 4000)).toBe(true);
  });

  test('stays what it is between versions', () => {
    expect([...drawTimesteps(5, 9, 6, 1000, null).timesteps]).toEqual([462, 429, 912, 930, 992, 447]);
  });
});

describe('loss-second-moment', () => {
  test('is uniform until every timestep has ten losses', () => {
    let history = emptyHistory(3);
    for (let i = 0; i < 10; i++) {
      expect(isWarm(history)).toBe(false);
      expect(probabilities(history)).toBeNull();
      history = withLosses(history, [0, 1, 2], [1, 2, i]);
    }
    expect(isWarm(history)).toBe(true);
    expect([...history.losses.subarray(20)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // the oldest goes
    expect([...withLosses(history, [2], [50]).losses.subarray(20)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 50]);
  });

  test('probabilities are those of the roots of mean squares, a thousandth of them even', () => {
    const chances = probabilities(warm(4))!;
    for (const [t, chance] of chances.entries()) {
      expect(chance).toBeCloseTo(((t + 1) / 10) * 0.999 + 0.001 / 4, 15);
    }
  });

  test('draws follow them, and weights make the mean loss what it is when all are alike', () => {
    const chances = probabilities(warm(5))!;
    const counts = new Float64Array(5);
    let weighted = 0;
    for (let step = 0; step < 1000; step++) {
      const { timesteps, weights } = drawTimesteps(11, step, 20, 5, chances);
      for (const [i, t] of timesteps.entries()) {
        counts[t]!++;
        weighted += weights[i]! * (t + 1);
        expect(weights[i]).toBe(Math.fround(1 / (5 * chances[t]!)));
      }
    }
    for (const [t, count] of counts.entries()) {
      const expected = 20_000 * chances[t]!;
      expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
    expect(weighted / 20_000).toBeCloseTo(3, 1);
  });

  test('a batch leaves the history before it as it was, and what is not finite is left out', () => {
    const before = warm(2);
    const copy = { losses: before.losses.slice(), counts: before.counts.slice() };
    const after = withLosses(before, [0, 0, 1], [Number.NaN, 4, Number.POSITIVE_INFINITY]);
    expect(before).toEqual(copy);
    expect([...after.losses.subarray(0, 10)]).toEqual([...Array(9).fill(1), 4]);
    expect([...after.losses.subarray(10)]).toEqual(Array(10).fill(2));
    expect(probabilities(withLosses(emptyHistory(1), Array(10).fill(0), Array(10).fill(0)))).toBeNull();
  });

  test('a history that was read is held to the process', () => {
    const history = warm(3);
    expect(historyFault(history, 3)).toBeNull();
    expect(historyFault(history, 4)).toBe('it has 3 timesteps with 30 losses, expected 4 with 40');
    expect(historyFault({ ...history, counts: Int32Array.of(10, 11, 0) }, 3)).toBe(
      'timestep 1 has 11 losses, expected 0 to 10',
    );
    const nan = history.losses.slice();
    nan[25] = Number.NaN;
    expect(historyFault({ ...history, losses: nan }, 3)).toBe('a loss of timestep 2 is NaN');
  });
});
