// Kernels against PyTorch: every golden forward pass, with its feature vectors.

import { describe, expect, it } from 'vitest';
import { loadGraph } from '../../compiler/graph/load.ts';
import { parameters } from '../../compiler/graph/parameters.ts';
import type { Target } from '../../compiler/target.ts';
import { hashWeights } from '../../runtime/weights/hash.ts';
import { goldenForward } from '../fixtures/golden-forward.ts';
import { GOLDEN_NAMES, goldenCase, goldenGraph } from '../golden-cases.ts';
import { relativeError, runOnDevice, testTargets } from '../on-device.ts';

describe.each(GOLDEN_NAMES)('%s', (name) => {
  it('agrees with PyTorch to a relative L2 error of 1e-5, in every feature vector', async () => {
    const { graph } = loadGraph(goldenGraph(name), name);
    const shapes = new Map(parameters(graph).map((p) => [p.name, p.shape]));
    const source = hashWeights(`hash:${goldenCase(name).weights.seed}`)!;
    const { given, expected } = goldenForward(name);
    for (const target of await targetsFor(name)) {
      const results = await runOnDevice(
        graph,
        { batch: given.x.shape[0]!, taps: true, target },
        (param) => source.read(param, shapes.get(param)!),
        given,
      );
      const errors = [...expected].map(
        ([key, { data }]) => [key, relativeError(results.get(key)!.data, data)] as const,
      );
      expect(
        errors.filter(([, error]) => !(error <= 1e-5)),
        target.name,
      ).toEqual([]);
      expect(errors.length).toBeGreaterThan(0);
    }
  });
});

/** Every target that the adapter has; for the large model the last, since a processor takes minutes with the others. */
async function targetsFor(name: string): Promise<readonly Target[]> {
  const targets = await testTargets();
  return goldenCase(name).params > 1e7 ? targets.slice(-1) : targets;
}
