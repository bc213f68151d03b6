// Losses and gradients of training batches on every target against PyTorch.

import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { modelOps } from '../../compiler/passes/model_ops.ts';
import { inputsOf, referenceOf, weightsOf } from '../fixtures/model-values.ts';
import { goldenGraph } from '../golden-cases.ts';
import { openProgram, relativeError, runBundle, testTargets } from '../on-device.ts';
import { goldenTraining, TRAINING_NAMES } from '../training-cases.ts';

describe.each(TRAINING_NAMES)('%s', (name) => {
  it('agrees with PyTorch, in losses to 2e-5 and in all gradients', async () => {
    const { graph, batch, seed, inputs, losses, tolerance, errorOf } = goldenTraining(name);
    for (const target of await testTargets()) {
      const { bundle } = compileGraph(graph, { batch, target, gradients: true });
      const found = await runBundle(bundle, weightsOf(graph, seed), inputs);
      for (const [key, expected] of losses) {
        expect(relativeError(found.get(key)!.data, expected), `${key}, ${target.name}`).toBeLessThan(2e-5);
      }
      const error = errorOf((key) => found.get(key)!.data);
      expect(error.all, target.name).toBeLessThan(tolerance);
      expect(error.norm, target.name).toBeLessThan(1e-4);
    }
  });
});

describe.each(['diffusers/scale-shift-attention', 'adm/updown'])('%s', (name) => {
  it('agrees with its meaning in float64, in all gradients', async () => {
    const { graph } = loadGraph(goldenGraph(name), name);
    const settings = { batch: 2, taps: false, precision: 'f32', gradient: false, gradients: true } as const;
    const ops = modelOps(graph, settings);
    const row = [0.8, 0.6, 0.5, 0.3, 0.4, -3, -2.5];
    const coefficients = { shape: [2, 8], data: Float32Array.from([...row, 0, ...row, 1]) };
    const inputs = { ...inputsOf(ops, 5), coefficients };
    const expected = [...referenceOf(ops, inputs, 5)];
    for (const target of await testTargets()) {
      const { bundle } = compileGraph(graph, { batch: 2, target, gradients: true });
      const found = await runBundle(bundle, weightsOf(graph, 5), inputs);
      const all = expected.flatMap(([key]) => [...found.get(key)!.data]);
      const meant = expected.flatMap(([, { data }]) => [...data]);
      expect(relativeError(all, meant), target.name).toBeLessThan(1e-5);
    }
  });
});

it('gives the same bits in every run, and at initialisation a gradient of the last convolution alone', async () => {
  const { graph, batch, inputs } = goldenTraining('hybrid');
  const { bundle } = compileGraph(graph, { batch, gradients: true });
  const zeroed = /(out_layers\.3|proj_out|^out\.2)\.(weight|bias)$/;
  const read = weightsOf(graph, 1);
  const program = await openProgram(bundle, (name) => {
    const values = read(name);
    return zeroed.test(name) ? new Float32Array(values.length) : values;
  });
  const [first, second] = [await program.run(inputs), await program.run(inputs)];
  program.close();
  const moved = [...first].filter(
    ([name, { data }]) => name.startsWith('grad.') && data.some((v) => v !== 0),
  );
  expect(moved.map(([name]) => name).sort()).toEqual(['grad.out.2.bias', 'grad.out.2.weight']);
  for (const [name, { data }] of first) expect(data, name).toEqual(second.get(name)!.data);
});
