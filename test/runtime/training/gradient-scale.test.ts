// What gradients are multiplied by: the scale of the loss, and the largest norm as torch.nn.utils.clip_grad_norm_ has it.

import { expect, test } from 'vitest';
import { gradientScale, stepSettings } from '../../../runtime/training/adamw.ts';

test('gradients stay as they are, or are scaled down to the largest norm', () => {
  expect(gradientScale(25, {})).toBe(1);
  expect(gradientScale(25, { max_grad_norm: 5 })).toBe(1);
  // torch: 2 / (5 + 1e-6)
  expect(gradientScale(25, { max_grad_norm: 2 })).toBe(2 / (5 + 1e-6));
});

test('the scale of the loss is taken back before the norm is held against the largest', () => {
  expect(gradientScale(25 * 2 ** 20, { loss_scale: 2 ** 10, max_grad_norm: 5 })).toBe(2 ** -10);
  expect(gradientScale(25 * 2 ** 20, { loss_scale: 2 ** 10, max_grad_norm: 2 })).toBe(
    (2 / (5 + 1e-6)) * 2 ** -10,
  );
});

test('what is not finite changes nothing', () => {
  expect(gradientScale(Number.POSITIVE_INFINITY, {})).toBe(null);
  expect(gradientScale(Number.NaN, { max_grad_norm: 1 })).toBe(null);
});

test('kernels get both, before the rates of moving averages', () => {
  const by = { update: 1, learning_rate: 0.5, weight_decay: 0, ema_rates: [0.75] };
  const usual = stepSettings(by);
  expect([...usual.subarray(8)]).toEqual([1, 2 ** 127, 0, 0, 0.75, 0.25, 0, 0]);
  const given = stepSettings({ ...by, max_grad_norm: 2, loss_scale: 8 });
  expect([...given.subarray(8, 12)]).toEqual([0.125, 2, 0, 0]);
});
