// Steps with a classifier's gradient, against the formulas written out in float64.

import { describe, expect, test } from 'vitest';
import { normalNoise } from '../../../runtime/sampler/noise.ts';
import {
  DIFFUSION_DEFAULTS,
  type DiffusionSettings,
  diffusionProcess,
  type Prediction,
} from '../../../runtime/sampler/process.ts';
import { takeStep } from '../../fixtures/take-step.ts';

const LENGTH = 64;
const [x, noise] = [normalNoise(1, 0, LENGTH), normalNoise(2, 0, LENGTH)];
const output = normalNoise(3, 0, 2 * LENGTH).map((value) => 0.5 * value);
const gradient = normalNoise(4, 0, LENGTH).map((value) => 0.3 * value);
const SETTINGS: DiffusionSettings = {
  ...DIFFUSION_DEFAULTS,
  ...{ steps: 1000, noise_schedule: 'linear', predict: 'epsilon', rescale_timesteps: false },
  variance: 'learned_range',
};

const expectNear = (found: Float32Array, expected: (i: number) => number, at: string, within = 5e-6) => {
  const errors = Array.from(
    found,
    (value, i) => Math.abs(value - expected(i)) / Math.max(1, Math.abs(value)),
  );
  expect(Math.max(...errors), at).toBeLessThan(within);
};
const clip = (value: number) => Math.min(1, Math.max(-1, value));

/** x_0 that an output means, in float64. */
function exactXstart(predict: Prediction, a: number, i: number): number {
  const [value, out] = [x[i]!, output[i]!];
  if (predict === 'x_start') return out;
  if (predict === 'v') return Math.sqrt(a) * value - Math.sqrt(1 - a) * out;
  return (value - Math.sqrt(1 - a) * out) / Math.sqrt(a);
}

describe.each(['epsilon', 'x_start', 'v'] as const)('where the model gives %s', (predict) => {
  const process = diffusionProcess({ ...SETTINGS, predict }, '20');
  const { tables } = process;

  test.each(['learned_range', 'learned', 'fixed_small', 'fixed_large'] as const)(
    'ddpm moves the mean by the variance, %s, and keeps the guess',
    (variance) => {
      const settings = { ...SETTINGS, predict, variance };
      const scaled = output.map((value, i) => (variance === 'learned' && i >= LENGTH ? value - 3 : value));
      const of = { process: diffusionProcess(settings, '20'), x, output: scaled, noise, clip: true };
      for (const index of [0, 7, 19]) {
        const plain = takeStep({ kind: 'ddpm' }, { ...of, index });
        const guided = takeStep({ kind: 'ddpm' }, { ...of, index, gradient });
        const [low, high] = [tables.posterior_log_variance_clipped[index]!, Math.log(tables.betas[index]!)];
        const exact = (i: number): number => {
          const said = scaled[LENGTH + i]!;
          if (variance === 'learned') return Math.exp(said);
          if (variance === 'learned_range') return Math.exp(low + ((said + 1) / 2) * (high - low));
          if (variance === 'fixed_small') return tables.posterior_variance[index]!;
          return index === 0 ? tables.posterior_variance[1]! : tables.betas[index]!;
        };
        expectNear(guided.x, (i) => plain.x[i]! + exact(i) * gradient[i]!, `index ${index}`);
        expect(guided.guess).toEqual(plain.guess);
      }
    },
  );

  test.each([0, 0.6])(
    'ddim moves the noise behind the clipped guess, and the guess with it, at eta %d',
    (eta) => {
      for (const index of [0, 7, 19]) {
        const sampler = { kind: 'ddim', eta } as const;
        const a = tables.alphas_cumprod[index]!;
        const previous = tables.alphas_cumprod_prev[index]!;
        const { x: found, guess } = takeStep(sampler, {
          process,
          index,
          x,
          output,
          noise,
          gradient,
          clip: true,
        });
        const epsilon = (i: number) =>
          (x[i]! - Math.sqrt(a) * clip(exactXstart(predict, a, i))) / Math.sqrt(1 - a) -
          Math.sqrt(1 - a) * gradient[i]!;
        const xstart = (i: number) => (x[i]! - Math.sqrt(1 - a) * epsilon(i)) / Math.sqrt(a);
        const sigma = eta * Math.sqrt((1 - previous) / (1 - a)) * Math.sqrt(1 - a / previous);
        expectNear(guess, xstart, `guess at ${index}`, 1e-4);
        expectNear(
          found,
          (i) =>
            Math.sqrt(previous) * xstart(i) +
            Math.sqrt(1 - previous - sigma * sigma) * epsilon(i) +
            (index === 0 ? 0 : sigma * noise[i]!),
          `index ${index}`,
          1e-4,
        );
      }
    },
  );

  test('with a spacing of diffusers ddim clips the guess behind the guidance, and keeps the guided noise', () => {
    const spaced = diffusionProcess({ ...SETTINGS, predict, timestep_spacing: 'leading' }, '20');
    const sampler = { kind: 'ddim', eta: 0 } as const;
    for (const index of [0, 7, 19]) {
      const a = spaced.tables.alphas_cumprod[index]!;
      const previous = spaced.ddim_alphas_cumprod_prev[index]!;
      const step = takeStep(sampler, { process: spaced, index, x, output, noise, gradient, clip: true });
      const epsilon = (i: number) =>
        (x[i]! - Math.sqrt(a) * exactXstart(predict, a, i)) / Math.sqrt(1 - a) -
        Math.sqrt(1 - a) * gradient[i]!;
      const guess = (i: number) => clip((x[i]! - Math.sqrt(1 - a) * epsilon(i)) / Math.sqrt(a));
      expectNear(step.guess, guess, `guess at ${index}`, 1e-4);
      expectNear(
        step.x,
        (i) => Math.sqrt(previous) * guess(i) + Math.sqrt(1 - previous) * epsilon(i),
        `index ${index}`,
        1e-4,
      );
    }
  });

  test('DPM-Solver++ takes its guess from the guided noise, and clips it then', () => {
    for (const index of [0, 7, 19]) {
      const a = tables.alphas_cumprod[index]!;
      const of = { process, index, x, output, noise: null };
      const guess = (i: number) => exactXstart(predict, a, i) + ((1 - a) / Math.sqrt(a)) * gradient[i]!;
      const clipped = takeStep({ kind: 'dpmpp' }, { ...of, gradient, clip: true });
      expectNear(clipped.guess, (i) => clip(guess(i)), `index ${index}`, 1e-5);
      const free = takeStep({ kind: 'dpmpp' }, { ...of, gradient, clip: false });
      expectNear(free.guess, guess, `index ${index}, unclipped`, 1e-5);
    }
  });
});

test.each([{ kind: 'ddpm' }, { kind: 'ddim', eta: 0 }, { kind: 'dpmpp' }] as const)(
  'a gradient of 0 changes no bit, with $kind',
  (sampler) => {
    const process = diffusionProcess({ ...SETTINGS, variance: 'fixed_small' }, '20');
    const of = { process, index: 11, x, output: output.subarray(0, LENGTH), noise, clip: false };
    const nothing = takeStep(sampler, { ...of, gradient: new Float32Array(LENGTH) });
    const plain = takeStep(sampler, of);
    if (sampler.kind === 'ddim')
      expectNear(nothing.x, (i) => plain.x[i]!, 'ddim derives its noise again', 2e-6);
    else expect(nothing.x).toEqual(plain.x);
  },
);
