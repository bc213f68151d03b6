import { describe, expect, test } from 'vitest';
import { INITIAL_STEP, LARGEST_SEED, normalNoise } from '../../../runtime/sampler/noise.ts';
import { normalQuantile } from '../../../runtime/sampler/normal.ts';

describe('normalQuantile', () => {
  // Values of Python's statistics.NormalDist().inv_cdf.
  test.each([
    [1.1641532182693481e-10, -6.337957754553789],
    [1e-6, -4.753424308822899],
    [0.01, -2.3263478740408408],
    [0.0749, -1.4402382675279632],
    [0.0751, -1.4388253927525398],
    [0.3, -0.5244005127080407],
    [0.5, 0.0],
    [0.7, 0.5244005127080407],
    [0.92, 1.4050715603096327],
    [0.926, 1.4466320671589785],
    [0.999, 3.090232306167813],
    [0.9999999998835847, 6.337957754553789],
  ])('at %d', (p, expected) => {
    expect(Math.abs(normalQuantile(p) - expected)).toBeLessThanOrEqual(4e-15 * Math.abs(expected));
  });

  test('is odd around one half, and rises', () => {
    let last = Number.NEGATIVE_INFINITY;
    for (let k = 1; k < 4096; k++) {
      const value = normalQuantile(k / 4096);
      expect(value).toBeGreaterThan(last);
      expect(value).toBeCloseTo(-normalQuantile(1 - k / 4096), 13);
      last = value;
    }
  });
});

describe('normalNoise', () => {
  const LENGTH = 200_000;
  const noise = normalNoise(3, 17, LENGTH);
  const moment = (k: number): number => noise.reduce((sum, x) => sum + x ** k, 0) / LENGTH;

  // Bounds are five standard errors of each estimate.
  test('has the moments of a standard normal', () => {
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(LENGTH));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / LENGTH));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / LENGTH));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / LENGTH));
  });

  test('has the distribution of a standard normal (Kolmogorov-Smirnov at 1e-4)', () => {
    const cells = 1000;
    const counts = new Float64Array(cells);
    const edges = Array.from({ length: cells - 1 }, (_, i) => normalQuantile((i + 1) / cells));
    for (const x of noise) counts[cellOf(edges, x)]!++;
    let cumulative = 0;
    let distance = 0;
    counts.forEach((count, i) => {
      cumulative += count / LENGTH;
      distance = Math.max(distance, Math.abs(cumulative - (i + 1) / cells));
    });
    expect(distance).toBeLessThan(2.23 / Math.sqrt(LENGTH));
  });

  test('neighbouring elements, steps and seeds are uncorrelated', () => {
    const correlation = (a: Float32Array, b: Float32Array): number => {
      const n = Math.min(a.length, b.length);
      let sum = 0;
      for (let i = 0; i < n; i++) sum += a[i]! * b[i]!;
      return sum / n;
    };
    const bound = 5 / Math.sqrt(LENGTH);
    expect(Math.abs(correlation(noise, noise.subarray(1)))).toBeLessThan(bound);
    expect(Math.abs(correlation(noise, normalNoise(3, 18, LENGTH)))).toBeLessThan(bound);
    expect(Math.abs(correlation(noise, normalNoise(4, 17, LENGTH)))).toBeLessThan(bound);
    expect(Math.abs(correlation(noise, normalNoise(3, INITIAL_STEP, LENGTH)))).toBeLessThan(bound);
  });

  test('an element does not depend on how many follow it', () => {
    expect(normalNoise(3, 17, 4099)).toEqual(noise.slice(0, 4099));
  });

  test('a step and a seed are different words of the generator', () => {
    expect(normalNoise(1, 0, 8)).not.toEqual(normalNoise(0, 1, 8));
  });

  test('seeds above 2^32 have noise of their own', () => {
    const seeds = [1, 1 + 2 ** 32, 2 ** 32, LARGEST_SEED, LARGEST_SEED - 2 ** 32];
    const first = seeds.map((seed) => normalNoise(seed, 0, 4).join());
    expect(new Set(first).size).toBe(seeds.length);
  });

  // Published numbers: a change here changes every image that was ever sampled from a seed.
  test('its numbers never change', () => {
    expect([...normalNoise(0, INITIAL_STEP, 5)]).toMatchInlineSnapshot(`
      [
        1.771061897277832,
        -1.565649151802063,
        0.19226588308811188,
        0.7220487594604492,
        -1.194014072418213,
      ]
    `);
    expect([...normalNoise(2 ** 40 + 12, 49, 3)]).toMatchInlineSnapshot(`
      [
        -0.04050169512629509,
        0.005813411436975002,
        -0.5087364315986633,
      ]
    `);
  });
});

/** Index of the cell that holds x: how many of the rising edges are at most x. */
function cellOf(edges: readonly number[], x: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle]! <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
