// Processes of diffusers' schedulers: timesteps, tables and steps against what diffusers itself recorded.

import { describe, expect, test } from 'vitest';
import { type DiffusionOptions, diffusionProcess } from '../../../runtime/sampler/process.ts';
import { float32AlphasCumprod, spacedTimesteps } from '../../../runtime/sampler/spacing.ts';
import { takeStep } from '../../fixtures/take-step.ts';
import { goldenJson, goldenTensors } from '../../golden-tensors.ts';

const LINEAR: DiffusionOptions = {
  steps: 1000,
  noise_schedule: 'linear',
  beta_start: 0.0001,
  beta_end: 0.02,
  predict: 'epsilon',
  variance: 'fixed_large',
  rescale_timesteps: false,
  timestep_spacing: 'leading',
};

/** The scheduler_config.json of each golden case in this project's words, and the places among its steps that it has. */
const CASES = [
  { name: 'ddpm-linear', places: [0, 1, 12, 24], options: LINEAR },
  {
    name: 'ddpm-cosine-v',
    places: [0, 1, 5, 9],
    options: {
      steps: 1000,
      noise_schedule: 'cosine',
      predict: 'v',
      variance: 'fixed_small',
      rescale_timesteps: false,
      timestep_spacing: 'trailing',
      clip_range: 1.5,
    },
  },
] as const satisfies readonly { name: string; places: readonly number[]; options: DiffusionOptions }[];

describe.each(CASES)('$name', ({ name, places, options }) => {
  const { num_inference_steps: count } = goldenJson<{ num_inference_steps: number }>(
    `schedulers/${name}/case.json`,
  );
  const tensors = goldenTensors(`schedulers/${name}/expected.safetensors`);
  const process = diffusionProcess(options, String(count));
  const numbers = (key: string) => Float64Array.from(tensors(key).data);

  test('visits the timesteps of diffusers', () => {
    expect([...process.timestep_map].reverse()).toEqual([...numbers('timesteps')]);
    expect(process.model_timesteps).toEqual(process.timestep_map);
  });

  test('has its alphas_cumprod to the bit', () => {
    const { noise_schedule, steps } = options;
    const range = { beta_start: null, beta_end: null, ...options };
    expect(float32AlphasCumprod(noise_schedule, steps, range)).toEqual(numbers('alphas_cumprod'));
  });

  test('takes its steps to 1e-5', () => {
    for (const place of places) {
      const all = (key: string) => Float32Array.from(tensors(`${place}.${key}`).data);
      const step = takeStep(
        { kind: 'ddpm' },
        {
          process,
          index: count - 1 - place,
          x: all('x_t'),
          output: all('model_output'),
          noise: all('noise'),
          clip: true,
        },
      );
      expectWithin(step.guess, all('pred_original_sample'), 1e-5);
      expectWithin(step.x, all('prev_sample'), 1e-5);
    }
  });
});

describe('DDIM by the conventions of diffusers', () => {
  const x = Float32Array.from({ length: 8 }, (_, i) => Math.sin(3 * i) * 1.5);
  const output = Float32Array.from({ length: 8 }, (_, i) => Math.cos(5 * i));

  test.each([
    ['epsilon', true],
    ['epsilon', false],
    ['v', true],
    ['x_start', false],
  ] as const)(
    '%s, set_alpha_to_one %s: epsilon is that of the output, not that of the clipped guess',
    (predict, set_alpha_to_one) => {
      const process = diffusionProcess({ ...LINEAR, predict, set_alpha_to_one }, '10');
      const alphas = float32AlphasCumprod('linear', 1000, { beta_start: 0.0001, beta_end: 0.02 });
      for (const index of [0, 4, 9]) {
        const a = alphas[index * 100]!;
        const before = index === 0 ? (set_alpha_to_one ? 1 : alphas[0]!) : alphas[(index - 1) * 100]!;
        const exact = Array.from(x, (value, i) => {
          const out = output[i]!;
          const x0 = {
            epsilon: (value - Math.sqrt(1 - a) * out) / Math.sqrt(a),
            v: Math.sqrt(a) * value - Math.sqrt(1 - a) * out,
            x_start: out,
          }[predict];
          const epsilon = (value - Math.sqrt(a) * x0) / Math.sqrt(1 - a);
          const guess = Math.min(1, Math.max(-1, x0));
          return Math.sqrt(before) * guess + Math.sqrt(1 - before) * epsilon;
        });
        const step = takeStep(
          { kind: 'ddim', eta: 0 },
          { process, index, x, output, noise: null, clip: true },
        );
        expectWithin(step.x, exact, 2e-5);
      }
    },
  );
});

describe('spacing', () => {
  const of = (...args: Parameters<typeof spacedTimesteps>) => spacedTimesteps(...args).timesteps;

  test('leading begins at the offset, trailing ends at the last timestep, linspace has both ends', () => {
    expect(of(1000, 4, 'leading', 1)).toEqual([1, 251, 501, 751]);
    expect(of(1000, 4, 'trailing', 0)).toEqual([249, 499, 749, 999]);
    expect(of(1000, 4, 'linspace', 0)).toEqual([0, 333, 666, 999]);
    expect(of(1000, 7, 'trailing', 0)).toEqual([142, 285, 428, 570, 713, 856, 999]);
  });

  test('a step leads by the whole stride, whatever the next timestep is', () => {
    expect(spacedTimesteps(1000, 7, 'linspace', 0).previous).toEqual([-142, 24, 191, 358, 524, 690, 857]);
  });

  test('refuses what cannot be had, and says why', () => {
    expect(() => of(1000, 1, 'leading', 0)).toThrow('steps: "1" of 1000 timesteps; use 2 to 1000');
    expect(() => of(1000, 1000, 'leading', 1)).toThrow('would begin at timestep 1000 of 1000');
  });

  test('other words keep the timesteps of the original', () => {
    const kept = diffusionProcess(LINEAR, 'ddim10').timestep_map;
    expect(kept).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(diffusionProcess(LINEAR).timestep_map.length).toBe(1000);
  });
});

function expectWithin(found: Float32Array, expected: ArrayLike<number>, most: number): void {
  const worst = found.reduce((m, value, i) => Math.max(m, Math.abs(value - expected[i]!)), 0);
  expect(found.length).toBe(expected.length);
  expect(worst).toBeLessThan(most);
}
