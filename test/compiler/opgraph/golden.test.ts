// The reference executor and the counts against the original PyTorch code: reference == PyTorch.

import { describe, expect, test } from 'vitest';
import { countMacs, countParams } from '../../../compiler/opgraph/cost.ts';
import { runReference } from '../../../compiler/opgraph/reference.ts';
import { verifyOpGraph } from '../../../compiler/opgraph/verify.ts';
import { goldenForward } from '../../fixtures/golden-forward.ts';
import { relativeL2 } from '../../fixtures/values.ts';
import { ALL_NAMES, goldenCase } from '../../golden-cases.ts';

/** PyTorch's own float32 error; ours adds none. */
const TOLERANCE = 2e-6;

describe.each(ALL_NAMES)('%s', (name) => {
  const { ops, params, inputs, expected } = goldenForward(name);

  test('is a valid OpGraph', () => {
    expect(() => verifyOpGraph(ops)).not.toThrow();
  });

  test('counts the parameters and multiply-accumulates of thop', () => {
    expect(countParams(ops)).toBe(goldenCase(name).params);
    const { macs } = goldenCase(name);
    if (macs) expect(countMacs(ops)).toEqual(macs);
  });

  test('gives the output and the feature vectors of PyTorch', { timeout: 120_000 }, () => {
    const results = runReference(ops, params, inputs);
    expect([...results.keys()]).toEqual(expect.arrayContaining([...expected.keys()]));
    expect(expected.has('output')).toBe(true);
    for (const [key, golden] of expected) {
      const result = results.get(key)!;
      expect(result.shape).toEqual(golden.shape);
      expect(relativeL2(result.data, golden.data), key).toBeLessThan(TOLERANCE);
    }
  });
});
