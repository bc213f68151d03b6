// Parameters without a gradient beside a step that knows nothing of them.

import { expect, test } from 'vitest';
import type { Tensor } from '../../../runtime/tensor.ts';
import { withStill } from '../../../runtime/training/still-parameters.ts';
import type { TrainingStep } from '../../../runtime/training/training-step.ts';

const SETTINGS = { update: 1, learning_rate: 0.1, weight_decay: 0.5, ema_rates: [0.5], seed: 0, step: 0 };
const PARAMETERS = [
  { name: 'still', shape: [2] },
  { name: 'moved', shape: [1] },
];

function movedStep(): TrainingStep {
  const moved: Tensor = { shape: [1], data: Float32Array.of(7) };
  return {
    ...{ parameters: PARAMETERS.slice(1), frozen: new Set(), microbatch: 1, adapter: 'none', bytes: 0 },
    step: async () => ({ losses: {}, taken: true, grad_norm: 0 }),
    read: async () => new Map([['moved', moved]]),
    write: async (_, tensors) => void moved.data.set(tensors.get('moved')!.data),
    close: async () => undefined,
  };
}

const BATCH = { x_start: [], noise: [], timesteps: [] };

test('decay with the others, and are read and written with them, in the order of the checkpoint', async () => {
  const step = withStill(movedStep(), PARAMETERS, 1, () => Float32Array.of(1, 2));
  expect(step.parameters).toEqual(PARAMETERS);
  await step.step(BATCH, SETTINGS);
  const parameters = await step.read({ kind: 'parameters' });
  expect([...parameters.keys()]).toEqual(['still', 'moved']);
  // 1 - 0.1 · 0.5 of each, and half of the way there for the average
  const { data } = parameters.get('still')!;
  expect(data[0]).toBeCloseTo(0.95, 6);
  expect(data[1]).toBeCloseTo(1.9, 6);
  expect((await step.read({ kind: 'ema', index: 0 })).get('still')!.data[1]).toBeCloseTo(1.95, 6);
  expect((await step.read({ kind: 'exp_avg' })).get('still')!.data).toEqual(new Float32Array(2));
  data.fill(0);
  expect((await step.read({ kind: 'parameters' })).get('still')!.data[0]).toBeCloseTo(0.95, 6);
  await step.write(
    { kind: 'parameters' },
    new Map([
      ['still', { shape: [2], data: Float32Array.of(3, 4) }],
      ['moved', { shape: [1], data: Float32Array.of(5) }],
    ]),
  );
  const written = await step.read({ kind: 'parameters' });
  expect([...written.values()].flatMap(({ data: values }) => [...values])).toEqual([3, 4, 5]);
});

test('a step of all parameters stays as it is', () => {
  const step = movedStep();
  expect(withStill(step, PARAMETERS.slice(1), 1, () => new Float32Array(1))).toBe(step);
});

test('frozen ones do not decay, and have no moments; their averages are they', async () => {
  const frozen = new Set(['still']);
  const step = withStill(movedStep(), PARAMETERS, 1, () => Float32Array.of(1, 2), frozen);
  expect(step.frozen).toBe(frozen);
  await step.step(BATCH, SETTINGS);
  expect([...(await step.read({ kind: 'parameters' })).get('still')!.data]).toEqual([1, 2]);
  expect((await step.read({ kind: 'exp_avg' })).has('still')).toBe(false);
  const other = new Map([
    ['moved', { shape: [1], data: Float32Array.of(3) }],
    ['still', { shape: [2], data: Float32Array.of(5, 6) }],
  ]);
  await step.write({ kind: 'parameters' }, other);
  expect([...(await step.read({ kind: 'ema', index: 0 })).get('still')!.data]).toEqual([5, 6]);
});
