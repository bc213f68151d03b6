// Classifiers against PyTorch: logits, and the gradient of their log-probability by the image, on every target.

import { describe, expect, it } from 'vitest';
import { loadGraph } from '../../compiler/graph/load.ts';
import { runReference } from '../../compiler/opgraph/reference.ts';
import { modelOps } from '../../compiler/passes/model_ops.ts';
import { hashTensor } from '../../runtime/weights/hash.ts';
import { weightsOf } from '../fixtures/model-values.ts';
import { CLASSIFIER_NAMES, goldenCase, goldenGraph } from '../golden-cases.ts';
import { goldenTensors } from '../golden-tensors.ts';
import { relativeError, runOnDevice, testTargets } from '../on-device.ts';

/** Relative L2 errors that are allowed. */
const OF_OUTPUT = { strict: 1e-5, otherwise: 2e-5 };
const OF_GRADIENT = 2e-5;

describe.each(CLASSIFIER_NAMES)('%s', (name) => {
  const { graph } = loadGraph(goldenGraph(name), name);
  const golden = goldenTensors(`${name}/expected.safetensors`);
  const { seed } = goldenCase(name).weights;
  const batch = golden('x').shape[0]!;
  const error = (found: ReadonlyMap<string, { readonly data: ArrayLike<number> }>, tensor: string) =>
    relativeError(found.get(tensor)!.data, golden(tensor).data);

  it('means what the original computes', () => {
    const ops = modelOps(graph, { batch, taps: false, precision: 'f32', gradient: true });
    const read = (param: string, shape: readonly number[]) => hashTensor(param, shape, seed);
    const exact = (tensor: string) => ({ ...golden(tensor), data: Float64Array.from(golden(tensor).data) });
    const inputs = { x: exact('x'), timesteps: exact('timesteps'), y: exact('y') };
    const found = runReference(ops, read, inputs);
    expect(found.get('output')!.shape).toEqual(golden('output').shape);
    expect(error(found, 'output')).toBeLessThan(2e-6);
    expect(error(found, 'gradient')).toBeLessThan(4e-6);
  });

  it('computes it on the adapter, fused and unfused', async () => {
    const x = { shape: golden('x').shape, data: Float32Array.from(golden('x').data) };
    const inputs = { x, timesteps: golden('timesteps').data, y: golden('y').data };
    for (const target of await testTargets()) {
      for (const how of [{}, { strict: true }, { fuse: false }]) {
        const options = { batch, gradient: true, target, ...how };
        const found = await runOnDevice(graph, options, weightsOf(graph, seed), inputs);
        const { strict = false } = options as { strict?: boolean };
        const at = `${target.name}, ${JSON.stringify(how)}`;
        expect(error(found, 'output'), at).toBeLessThan(strict ? OF_OUTPUT.strict : OF_OUTPUT.otherwise);
        expect(error(found, 'gradient'), at).toBeLessThan(OF_GRADIENT);
        if (process.env.SHOW) console.log(name, at, error(found, 'output'), error(found, 'gradient'));
      }
    }
  });
});
