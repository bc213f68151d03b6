// Inputs of passes that are timed: of a step of training they are those of a step that is taken.

import { expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { SOFTWARE } from '../../../compiler/target.ts';
import { exampleInputsOf } from '../../../engine/model/example-inputs.ts';
import { STEP_NUMBERS } from '../../../runtime/step-settings.ts';
import type { Tensor } from '../../../runtime/tensor.ts';
import { tinyGraph } from '../../fixtures/tiny-training.ts';

const { graph } = loadGraph(tinyGraph(), 'tiny');

test('a step of training has the coefficients of its process, and settings by which parameters change', () => {
  const { bundle } = compileGraph(graph, {
    ...{ target: SOFTWARE, batch: 2, gradients: true },
    training: { averages: 1, accumulates: false },
  });
  const inputs = exampleInputsOf(bundle.manifest);
  expect(Object.keys(inputs).sort()).toEqual(bundle.manifest.inputs.map(({ name }) => name).sort());
  const { data } = inputs.coefficients as Tensor;
  const [signal, noise] = data;
  expect(signal! ** 2 + noise! ** 2).toBeCloseTo(1, 5);
  const settings = inputs.step_settings as Tensor;
  expect(settings.shape).toEqual(bundle.manifest.inputs.find(({ name }) => name === 'step_settings')!.shape);
  expect(settings.data[STEP_NUMBERS.indexOf('step_size')]).toBeGreaterThan(0);
  expect(settings.data.at(-4)! + settings.data.at(-3)!).toBeCloseTo(1, 5);
  expect(inputs.weights).toEqual([1, 1]);
});

test('a forward pass has timesteps, and no more than its inputs', () => {
  const { bundle } = compileGraph(graph, { target: SOFTWARE, batch: 2 });
  const inputs = exampleInputsOf(bundle.manifest);
  expect(Object.keys(inputs).sort()).toEqual(['timesteps', 'x']);
});
