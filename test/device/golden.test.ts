// Kernels against PyTorch: every golden forward pass, with its feature vectors.

import { describe, expect, it } from 'vitest';
import { loadGraph } from '../../compiler/graph/load.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import type { Target } from '../../compiler/target.ts';
import { hashWeights } from '../../runtime/weights/hash.ts';
import { goldenForward } from '../fixtures/golden-forward.ts';
import { ALL_NAMES, goldenCase, goldenGraph } from '../golden-cases.ts';
import { relativeError, runOnDevice, testTargets } from '../on-device.ts';

describe.each(ALL_NAMES)('%s', (name) => {
  it('agrees with PyTorch to a relative L2 error of 1e-5, in every feature vector', async () => {
    const { graph } = loadGraph(goldenGraph(name), name);
    const shapes = new Map(parameters(graph).map((p) => [p.name, p.shape]));
    const source = hashWeights(`hash:${goldenCase(name).weights.seed}`)!;
    const { given, expected } = goldenForward(name);
    for (const [target, strict] of await variantsFor(name)) {
      const results = await runOnDevice(
        graph,
        { batch: given.x.shape[0]!, taps: true, target, strict },
        (param) => source.read(param, shapes.get(param)!),
        given,
      );
      const errors = [...expected].map(
        ([key, { data }]) => [key, relativeError(results.get(key)!.data, data)] as const,
      );
      expect(
        errors.filter(([, error]) => !(error <= 1e-5)),
        `${target.name}${strict ? ', strict' : ''}`,
      ).toEqual([]);
      expect(errors.length).toBeGreaterThan(0);
    }
  });
});

/**
 * Every target that the adapter has, models of guided-diffusion and of diffusers also in strict; for the large model the last target, since
 * a processor takes minutes with the others.
 */
async function variantsFor(name: string): Promise<readonly (readonly [Target, boolean])[]> {
  const targets = await testTargets();
  const asked = goldenCase(name).params > 1e7 ? targets.slice(-1) : targets;
  const strict = name.includes('/') ? [false, true] : [false];
  return asked.flatMap((target) => strict.map((one) => [target, one] as const));
}
