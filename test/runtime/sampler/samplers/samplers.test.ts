import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { RuntimeError } from '../../../../runtime/errors.ts';
import { predictXstart, stepDistribution } from '../../../../runtime/sampler/distribution.ts';
import { normalNoise } from '../../../../runtime/sampler/noise.ts';
import {
  DIFFUSION_DEFAULTS,
  type DiffusionSettings,
  diffusionProcess,
} from '../../../../runtime/sampler/process.ts';
import { checkEta, ddimReverse, readAnswer } from '../../../../runtime/sampler/samplers/ddim.ts';
import { ddpmSample } from '../../../../runtime/sampler/samplers/ddpm.ts';
import { SAMPLER_KINDS, SAMPLERS, type Sampler } from '../../../../runtime/sampler/samplers/index.ts';
import { takeStep } from '../../../fixtures/take-step.ts';
import { runGolden } from '../../../golden-model.ts';
import { SAMPLER_CASES } from '../../../sampler-cases.ts';

describe.each(SAMPLER_CASES)('$name', (golden) => {
  const process = diffusionProcess(golden.settings, golden.respacing);

  test.each(golden.indices)('step %i agrees with the original to 1e-4', (index) => {
    const expected = (name: string): ArrayLike<number> => golden.tensors(`${index}.${name}`).data;
    const x = Float32Array.from(expected('x_t'));
    const noise = Float32Array.from(expected('noise'));
    const timesteps = [process.model_timesteps[index]!];
    const output = runGolden(golden, { x: { shape: golden.shape, data: x }, timesteps }).data;

    const step = stepDistribution(process, index, x, output, true);
    expectClose(step.mean, expected('mean'), 1e-4, 'mean');
    expectClose(step.log_variance, expected('log_variance'), 1e-4, 'log_variance');
    expectClose(step.pred_xstart, expected('pred_xstart'), 1e-4, 'pred_xstart');
    expectClose(ddpmSample(step, index === 0 ? null : noise), expected('ddpm_sample'), 1e-4, 'ddpm_sample');
    for (const eta of [0, 1]) {
      const found = takeStep({ kind: 'ddim', eta }, { process, index, x, output, noise, clip: true }).x;
      expectClose(found, expected(`ddim_sample.eta${eta}`), 1e-4, `ddim_sample.eta${eta}`);
    }
    const { guess, epsilon } = readAnswer(process, index, x, { output, gradient: null }, true);
    const back = ddimReverse(process, index, guess, epsilon);
    expectClose(back, expected('ddim_reverse'), 1e-4, 'ddim_reverse');
  });
});

const SETTINGS: DiffusionSettings = {
  ...DIFFUSION_DEFAULTS,
  steps: 1000,
  noise_schedule: 'cosine',
  predict: 'epsilon',
  variance: 'fixed_small',
  rescale_timesteps: false,
};
const LENGTH = 64;

describe('the four predictions', () => {
  const process = (predict: DiffusionSettings['predict']) => diffusionProcess({ ...SETTINGS, predict }, '50');
  const x0 = normalNoise(1, 0, LENGTH).map((value) => 0.3 * value);
  const epsilon = normalNoise(2, 0, LENGTH);

  test.each([1, 20, 45])('say the same at index %i when the model knows the answer', (index) => {
    const { tables } = process('epsilon');
    const ofX0 = tables.sqrt_alphas_cumprod[index]!;
    const ofEpsilon = tables.sqrt_one_minus_alphas_cumprod[index]!;
    const x = x0.map((value, i) => ofX0 * value + ofEpsilon * epsilon[i]!);
    const [coef1, coef2] = [tables.posterior_mean_coef1[index]!, tables.posterior_mean_coef2[index]!];
    const mean = x0.map((value, i) => coef1 * value + coef2 * x[i]!);
    const v = x0.map((value, i) => ofX0 * epsilon[i]! - ofEpsilon * value);
    const outputs = { epsilon, x_start: x0, previous_x: mean, v };
    for (const predict of ['epsilon', 'x_start', 'previous_x', 'v'] as const) {
      const step = stepDistribution(process(predict), index, x, outputs[predict], false);
      expectClose(step.pred_xstart, x0, 2e-4, `${predict}: pred_xstart`);
      expectClose(step.mean, mean, 1e-4, `${predict}: mean`);
    }
  });
});

describe('the four variances', () => {
  const x = normalNoise(3, 0, LENGTH);
  const withVariance = (variance: DiffusionSettings['variance'], index: number, value = 0) => {
    const process = diffusionProcess({ ...SETTINGS, variance }, '100');
    const output = new Float32Array(2 * LENGTH).fill(value, LENGTH);
    const step = stepDistribution(process, index, x, output, true);
    return { variance: step.variance[0]!, log: step.log_variance[0]!, tables: process.tables };
  };

  test.each([1, 50, 99])('learned_range runs from fixed_small to fixed_large at index %i', (index) => {
    const [small, large] = [withVariance('fixed_small', index), withVariance('fixed_large', index)];
    expect(withVariance('learned_range', index, -1).log).toBeCloseTo(small.log, 5);
    expect(withVariance('learned_range', index, 1).log).toBeCloseTo(large.log, 5);
    expect(withVariance('learned_range', index, 0).log).toBeCloseTo((small.log + large.log) / 2, 5);
    expect(small.variance).toBeLessThan(large.variance);
  });

  test('learned is the logarithm itself', () => {
    expect(withVariance('learned', 7, -2)).toMatchObject({ log: -2, variance: Math.fround(Math.exp(-2)) });
  });

  test('the posterior variance of index 0 is 0, and its logarithm is that of index 1', () => {
    const first = withVariance('fixed_small', 0);
    expect(first.variance).toBe(0);
    expect(first.log).toBe(withVariance('fixed_small', 1).log);
    expect(withVariance('fixed_large', 0).variance).toBe(Math.fround(first.tables.posterior_variance[1]!));
  });
});

test('the list in the documents is the table', () => {
  const text = readFileSync(new URL('../../../../docs/sampling.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (.*) \| .* \|$/gm)].map(([, name, about]) => ({
    name,
    about,
  }));
  const listed = rows.filter(({ name }) => SAMPLER_KINDS.some((kind) => kind === name));
  expect(listed.map(({ name }) => name)).toEqual(SAMPLER_KINDS);
  for (const [i, kind] of SAMPLER_KINDS.entries()) expect(listed[i]!.about).toContain(SAMPLERS[kind].about);
});

describe('steps', () => {
  const process = diffusionProcess(SETTINGS, '50');
  const x = normalNoise(5, 0, LENGTH);
  const output = normalNoise(6, 0, LENGTH);
  const noise = normalNoise(7, 0, LENGTH);

  test('noise is drawn by ddpm and by ddim with an eta, and never at the last step', () => {
    const quiet = (sampler: Sampler, index: number) => () =>
      takeStep(sampler, { process, index, x, output, noise: null, clip: true });
    expect(quiet({ kind: 'ddpm' }, 3)).toThrow('the step at 3 draws noise');
    expect(quiet({ kind: 'ddim', eta: 0.5 }, 3)).toThrow('the step at 3 draws noise');
    expect(quiet({ kind: 'ddim', eta: 0 }, 3)).not.toThrow();
    for (const sampler of [{ kind: 'ddpm' }, { kind: 'ddim', eta: 1 }, { kind: 'dpmpp' }] as const) {
      expect(quiet(sampler, 0)).not.toThrow();
    }
  });

  test('the last step returns the guess at x_0, whatever the noise', () => {
    const guess = predictXstart(process, 0, x, output, true);
    for (const sampler of [{ kind: 'ddpm' }, { kind: 'ddim', eta: 0 }, { kind: 'ddim', eta: 1 }] as const) {
      expectClose(
        takeStep(sampler, { process, index: 0, x, output, noise, clip: true }).x,
        guess,
        1e-6,
        sampler.kind,
      );
    }
  });

  test('ddim at eta 1 is ddpm with the posterior variance', () => {
    for (const index of [1, 10, 30]) {
      const ddpm = takeStep({ kind: 'ddpm' }, { process, index, x, output, noise, clip: true }).x;
      expectClose(
        takeStep({ kind: 'ddim', eta: 1 }, { process, index, x, output, noise, clip: true }).x,
        ddpm,
        1e-4,
        '',
      );
    }
  });

  test('clipping bounds the guess and keeps NaN', () => {
    const wild = Float32Array.from([1e6, -1e6, Number.NaN, Number.POSITIVE_INFINITY]);
    const guess = predictXstart(process, 25, new Float32Array(4), wild, true);
    expect([...guess]).toEqual([-1, 1, Number.NaN, -1]);
  });

  test('an eta whose noise is more than all of it is refused with the largest that works', () => {
    checkEta(process, 0);
    checkEta(process, 1);
    expect(() => checkEta(process, -0.1)).toThrow(RuntimeError);
    expect(() => checkEta(process, Number.NaN)).toThrow('eta: NaN is out of range');
    const message = /this process allows 0 to ([\d.]+)$/;
    const largest = Number(thrownBy(() => checkEta(process, 1e9)).match(message)![1]);
    checkEta(process, largest);
    expect(() => checkEta(process, largest + 0.002)).toThrow(message);
  });

  test('the last step counts where it does not lead into the image itself', () => {
    const settings = {
      ...DIFFUSION_DEFAULTS,
      steps: 1000,
      noise_schedule: 'linear',
      predict: 'epsilon',
      variance: 'fixed_small',
      rescale_timesteps: false,
    } as const;
    const spaced = { ...settings, timestep_spacing: 'trailing', set_alpha_to_one: false } as const;
    expect(() => checkEta(diffusionProcess(spaced, '2'), 1.0001)).toThrow(/allows 0 to 1\b/);
    checkEta(diffusionProcess({ ...spaced, set_alpha_to_one: true }, '2'), 1.0001);
  });
});

// Images of independent pixels N(0, s^2): then E[eps | x_t] = sqrt(1 - a) x_t / (a s^2 + 1 - a).
test('ddim reverse leads an image to its latent, and ddim leads it back', () => {
  const process = diffusionProcess({ ...SETTINGS, steps: 4000 }, '1000');
  const { alphas_cumprod } = process.tables;
  const s = 0.5;
  const model = (x: Float32Array, index: number): Float32Array => {
    const a = alphas_cumprod[index]!;
    return x.map((value) => (Math.sqrt(1 - a) * value) / (a * s * s + 1 - a));
  };
  const image = normalNoise(9, 0, LENGTH).map((value) => s * value);
  let x: Float32Array = image;
  for (let index = 0; index < 999; index++) {
    const output = model(x, index);
    const { guess, epsilon } = readAnswer(process, index, x, { output, gradient: null }, false);
    x = ddimReverse(process, index, guess, epsilon);
  }
  // The flow of this distribution only scales: the latent is the image in units of its spread.
  expectClose(
    x,
    image.map((value) => value / s),
    2e-2,
    'latent',
  );
  for (let index = 998; index >= 0; index--) {
    x = takeStep({ kind: 'ddim', eta: 0 }, { process, index, x, output: model, noise: null, clip: false }).x;
  }
  expectClose(x, image, 1e-2, 'image');
});

function thrownBy(action: () => void): string {
  try {
    action();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
}

function expectClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: number,
  what: string,
): void {
  expect(found.length, what).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < found.length; i++) {
    const difference = Math.abs(found[i]! - expected[i]!);
    // Written so that NaN counts as worse than any number.
    if (!(difference <= worst)) worst = difference;
  }
  expect(worst, what).toBeLessThanOrEqual(bound);
}
