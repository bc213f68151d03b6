// The loss and its gradients in float64 against PyTorch: every golden batch on the reference executor.

import { describe, expect, it } from 'vitest';
import { lowerGraph } from '../../../compiler/graph/lower.ts';
import { runPasses, trainingPasses } from '../../../compiler/passes/index.ts';
import { training_loss } from '../../../compiler/passes/training_loss.ts';
import { referenceOf } from '../../fixtures/model-values.ts';
import { relativeL2 } from '../../fixtures/values.ts';
import { CLASSIFIER_NAMES, goldenTraining, TRAINING_NAMES } from '../../training-cases.ts';

describe.each([...TRAINING_NAMES, ...CLASSIFIER_NAMES])('%s', (name) => {
  const { graph, batch, seed, inputs, losses, errorOf } = goldenTraining(name);
  const lowered = lowerGraph(graph, { batch, taps: false, precision: 'f32' });

  it('agrees with PyTorch in float64, in losses and gradients', () => {
    const ops = runPasses(training_loss(lowered, graph), trainingPasses({ dropout: false }));
    const found = referenceOf(ops, inputs, seed);
    for (const [key, expected] of losses) {
      const { data } = found.get(key)!;
      if (key.startsWith('loss.acc')) expect(Array.from(data), key).toEqual(expected);
      else expect(relativeL2(data, expected), key).toBeLessThan(5e-6);
    }
    expect([...found.keys()].filter((key) => key.startsWith('loss.')).sort()).toEqual(
      [...losses.keys()].sort(),
    );
    const error = errorOf((key) => found.get(key)!.data);
    expect(error.all).toBeLessThan(5e-6);
    expect(error.norm).toBeLessThan(1e-5);
  });
});
