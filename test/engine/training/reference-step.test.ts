// Training steps on the reference executor: dropout is drawn by the run's seed and the step, however a batch is cut.

import { expect, test } from 'vitest';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { referenceStep } from '../../../engine/training/reference-step.ts';
import { weightsOf } from '../../fixtures/model-values.ts';
import { trainingBatch, trainingGraph } from '../../training-cases.ts';

const NAME = 'signal-1d';

/** The losses of one step, of a model with a dropout of this probability. */
async function lossesOf(dropout: number, microbatch: number, drawn: { seed: number; step: number }) {
  const { unet, ...rest } = JSON.parse(trainingGraph(NAME));
  const { graph } = loadGraph(JSON.stringify({ ...rest, unet: { ...unet, dropout } }), NAME);
  const step = referenceStep(graph, { microbatch, emas: 0, read: weightsOf(graph, 8) });
  const settings = { update: 1, learning_rate: 1e-4, weight_decay: 0, ema_rates: [], ...drawn };
  const { losses, grad_norm } = await step.step(trainingBatch(NAME), settings);
  return { losses: [...losses.loss!], grad_norm };
}

test('dropout is drawn by seed and step, and microbatches have the masks of the whole batch', async () => {
  const drawn = { seed: 3, step: 5 };
  const whole = await lossesOf(0.3, 2, drawn);
  const parts = await lossesOf(0.3, 1, drawn);
  expect(parts.losses).toEqual(whole.losses);
  expect(parts.grad_norm).toBeCloseTo(whole.grad_norm, 6);
  const others = [
    await lossesOf(0.3, 2, { seed: 4, step: 5 }),
    await lossesOf(0.3, 2, { seed: 3, step: 6 }),
    await lossesOf(0, 2, drawn),
  ];
  for (const other of others) expect(other.losses).not.toEqual(whole.losses);
});
