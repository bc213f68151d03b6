// The terms of the bound: what they are of a perfect model, of each prediction and variance, and of a bin's mass.

import { describe, expect, test } from 'vitest';
import { type DiffusionOptions, diffusionProcess } from '../../../runtime/sampler/process.ts';
import { boundTerm, noisyImage, priorBound } from '../../../runtime/training/bound.ts';
import { noise32 } from '../../fixtures/values.ts';

const SETTINGS: DiffusionOptions = {
  steps: 1000,
  noise_schedule: 'linear',
  predict: 'epsilon',
  variance: 'fixed_small',
  rescale_timesteps: false,
};

const LENGTH = 24;
const values = (seed: number, f: (x: number) => number = (x) => x) =>
  Float32Array.from(noise32([LENGTH], seed).data, f);

function given(process: ReturnType<typeof diffusionProcess>, index: number) {
  const x_start = values(1, Math.tanh);
  const noise = values(2);
  return { x_start, noise, x_t: noisyImage(process, index, x_start, noise) };
}

/** What a model that knows image and noise would give. */
function perfect(process: ReturnType<typeof diffusionProcess>, index: number): Float32Array {
  const { x_start, noise, x_t } = given(process, index);
  const { tables, settings } = process;
  switch (settings.predict) {
    case 'epsilon':
      return noise;
    case 'x_start':
      return x_start;
    case 'v':
      return noise.map(
        (e, i) =>
          tables.sqrt_alphas_cumprod[index]! * e - tables.sqrt_one_minus_alphas_cumprod[index]! * x_start[i]!,
      );
    case 'previous_x':
      return x_start.map(
        (x0, i) => tables.posterior_mean_coef1[index]! * x0 + tables.posterior_mean_coef2[index]! * x_t[i]!,
      );
  }
}

describe.each(['epsilon', 'x_start', 'previous_x', 'v'] as const)(
  'a model that knows the image, by %s',
  (predict) => {
    test.each([
      ['fixed_small', 0],
      // ½ (log β - log β̃ + β̃/β - 1) per element
      ['fixed_large', null],
    ] as const)('loses nothing but what its variance is off: %s', (variance, expected) => {
      const process = diffusionProcess({ ...SETTINGS, predict, variance }, '50');
      const index = 20;
      const { vb, xstart_mse, mse } = boundTerm(
        process,
        index,
        given(process, index),
        perfect(process, index),
        true,
      );
      const { betas, posterior_variance } = process.tables;
      const ratio = posterior_variance[index]! / betas[index]!;
      const meant = expected ?? (0.5 * (ratio - 1 - Math.log(ratio))) / Math.LN2;
      expect(vb).toBeCloseTo(meant, 5);
      expect(xstart_mse).toBeLessThan(1e-9);
      expect(mse).toBeLessThan(1e-8);
    });

    test.each([
      ['learned', (_: number, log: number) => log],
      // -1 is the posterior's own variance
      ['learned_range', () => -1],
    ] as const)('with a variance that it learned: %s', (variance, said) => {
      const process = diffusionProcess({ ...SETTINGS, predict, variance }, '50');
      const index = 20;
      const log = process.tables.posterior_log_variance_clipped[index]!;
      const output = new Float32Array(2 * LENGTH);
      output.set(perfect(process, index));
      output.fill(said(0, log), LENGTH);
      expect(boundTerm(process, index, given(process, index), output, true).vb).toBeCloseTo(0, 5);
    });
  },
);

test('the guess is clipped, unless it is not to be', () => {
  const process = diffusionProcess({ ...SETTINGS, predict: 'x_start' }, '50');
  const { x_start, ...rest } = given(process, 20);
  const output = x_start.map((x) => 3 + x);
  const term = (clip: boolean) => boundTerm(process, 20, { x_start, ...rest }, output, clip).xstart_mse;
  expect(term(false)).toBeCloseTo(9, 5);
  expect(term(true)).toBeCloseTo(x_start.reduce((sum, x) => sum + (1 - x) ** 2, 0) / LENGTH, 5);
});

test('the masses of all 256 bins add up to one', () => {
  const process = diffusionProcess({ ...SETTINGS, predict: 'x_start', variance: 'fixed_large' }, '50');
  const level = (i: number) => Float32Array.of(i / 127.5 - 1);
  for (const mean of [-1.2, 0.3, 0.9995]) {
    let sum = 0;
    for (let i = 0; i < 256; i++) {
      const one = { x_start: level(i), noise: Float32Array.of(0), x_t: Float32Array.of(0) };
      sum += 2 ** -boundTerm(process, 0, one, Float32Array.of(mean), false).vb;
    }
    expect(sum).toBeCloseTo(1, 5);
  }
});

test('a bin far from the mean has the least probability that there is, and is no NaN', () => {
  const process = diffusionProcess({ ...SETTINGS, predict: 'x_start' }, '50');
  const one = { x_start: Float32Array.of(0.2), noise: Float32Array.of(0), x_t: Float32Array.of(0.2) };
  for (const far of [-50, 50]) {
    const { vb } = boundTerm(process, 0, one, Float32Array.of(far), false);
    expect(vb).toBeCloseTo(-Math.log2(1e-12), 5);
  }
});

test('the prior of noise that is all noise is next to nothing, and grows with what is left of the image', () => {
  const far = diffusionProcess({ ...SETTINGS, noise_schedule: 'cosine' });
  const near = diffusionProcess({ ...SETTINGS, beta_start: 1e-5, beta_end: 1e-4 });
  const x = values(1, Math.tanh);
  expect(priorBound(far, x)).toBeLessThan(1e-7);
  const { alphas_cumprod } = near.tables;
  const a = alphas_cumprod.at(-1)!;
  const meant = x.reduce((sum, x0) => sum + 0.5 * (-1 - Math.log(1 - a) + (1 - a) + a * x0 * x0), 0) / LENGTH;
  expect(priorBound(near, x)).toBeCloseTo(meant / Math.LN2, 5);
});
