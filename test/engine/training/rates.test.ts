// Learning rates and rates of moving averages, step by step.

import { expect, test } from 'vitest';
import { averageRates, learningRate } from '../../../engine/training/rates.ts';
import { type TrainingOptions, trainingSettings } from '../../../engine/training/settings.ts';

const rates = (options: TrainingOptions, steps: readonly number[]) => {
  const settings = trainingSettings({ lr: 0.5, ...options });
  return steps.map((step) => learningRate(settings, step));
};

test('the learning rate stays, or falls to 0 in a line as the original says it', () => {
  expect(rates({}, [0, 9, 1e6])).toEqual([0.5, 0.5, 0.5]);
  expect(rates({ lr_anneal_steps: 8 }, [0, 2, 7])).toEqual([0.5, 0.375, 0.0625]);
  expect(rates({ lr_anneal_steps: 8, lr_schedule: 'linear' }, [2])).toEqual([0.375]);
});

test('half a cosine has half of the rate in the middle', () => {
  const [first, middle, last] = rates({ lr_anneal_steps: 100, lr_schedule: 'cosine' }, [0, 50, 99]);
  expect(first).toBe(0.5);
  expect(middle).toBeCloseTo(0.25, 12);
  expect(last).toBeCloseTo((0.5 * (1 + Math.cos(0.99 * Math.PI))) / 2, 12);
});

test('a warm-up rises to the rate, and what falls behind it falls over the rest', () => {
  expect(rates({ lr_warmup: 4 }, [0, 1, 3, 4])).toEqual([0.125, 0.25, 0.5, 0.5]);
  expect(rates({ lr_warmup: 4, lr_anneal_steps: 8 }, [3, 4, 6, 7])).toEqual([0.5, 0.5, 0.25, 0.125]);
  const [end] = rates({ lr_warmup: 2, lr_anneal_steps: 8, lr_schedule: 'cosine' }, [5]);
  expect(end).toBeCloseTo(0.25, 12);
});

test('moving averages have their rates, or less while there were few updates', () => {
  const of = (ema_warmup: boolean, update: number) =>
    averageRates(trainingSettings({ ema_rate: [0.5, 0.9999], ema_warmup }), update);
  expect(of(false, 1)).toEqual([0.5, 0.9999]);
  expect(of(true, 1)).toEqual([2 / 11, 2 / 11]);
  expect(of(true, 8)).toEqual([0.5, 0.5]);
  expect(of(true, 90)).toEqual([0.5, 0.91]);
  expect(of(true, 89_990)).toEqual([0.5, 0.9999]);
});
