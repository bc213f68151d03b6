// An update of AdamW that is taken back leaves what was there before, but for rounding.

import { expect, test } from 'vitest';
import { adamwUpdate, type UpdateSettings } from '../../../runtime/training/adamw.ts';
import { beforeUpdate } from '../../../runtime/training/taken-back.ts';

const BY: UpdateSettings = { update: 1, learning_rate: 1e-3, weight_decay: 0.05, ema_rates: [] };
const BEGUN = Float32Array.of(0, 1e-3, -0.7, 12, -3e4);

/** What parameters are behind so many updates, and before the last of them. */
function updated(count: number, settings: Partial<UpdateSettings>) {
  const zeros = () => new Float32Array(BEGUN.length);
  const of = { parameter: BEGUN.slice(), exp_avg: zeros(), exp_avg_sq: zeros(), emas: [] };
  let before = BEGUN;
  let by = BY;
  for (let update = 1; update <= count; update++) {
    before = of.parameter.slice();
    by = { ...BY, ...settings, update };
    adamwUpdate(of, [0, -2, 1e-9, 1e6 / update, 0.3 * update], by);
  }
  return { before, of, by };
}

test.each([
  [1, {}],
  [7, {}],
  [3, { learning_rate: 10, weight_decay: 0 }],
  [2, { learning_rate: 1e-6, weight_decay: 1e6 - 1 }],
] as const)('after %i updates by %j', (count, settings) => {
  const { before, of, by } = updated(count, settings);
  expect(of.parameter).not.toEqual(before);
  const found = beforeUpdate(of, by);
  // a float32 of the change and of the sum, magnified where the parameter decays
  const kept = Math.abs(1 - by.learning_rate * by.weight_decay);
  found.forEach((value, i) => {
    const size = Math.abs(before[i]!) + (Math.abs(of.parameter[i]!) + by.learning_rate) / kept;
    expect(Math.abs(value - before[i]!)).toBeLessThanOrEqual(3e-7 * size);
  });
});

test('what decays to nothing stays as it is', () => {
  const { of, by } = updated(1, { learning_rate: 0.5, weight_decay: 2 });
  expect(beforeUpdate(of, by)).toEqual(of.parameter);
});
