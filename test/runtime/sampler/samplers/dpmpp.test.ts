import { describe, expect, test } from 'vitest';
import { predictXstart } from '../../../../runtime/sampler/distribution.ts';
import { normalNoise } from '../../../../runtime/sampler/noise.ts';
import { type DiffusionProcess, diffusionProcess } from '../../../../runtime/sampler/process.ts';
import { dpmSolverSample } from '../../../../runtime/sampler/samplers/dpmpp.ts';
import type { Sampler } from '../../../../runtime/sampler/samplers/index.ts';
import { takeStep } from '../../../fixtures/take-step.ts';

const LENGTH = 64;
const SETTINGS = {
  steps: 1000,
  noise_schedule: 'linear',
  predict: 'epsilon',
  variance: 'fixed_small',
  rescale_timesteps: false,
} as const;

const worst = (a: Float32Array, b: Float32Array): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

test('without a guess before, a step is DDIM without noise', () => {
  const process = diffusionProcess(SETTINGS, '20');
  const [x, output] = [normalNoise(1, 0, LENGTH), normalNoise(2, 0, LENGTH)];
  for (const index of [19, 10, 1, 0]) {
    const guess = predictXstart(process, index, x, output, true);
    const ddim = takeStep({ kind: 'ddim', eta: 0 }, { process, index, x, output, noise: null, clip: true });
    expect(worst(dpmSolverSample(process, index, x, guess, null), ddim.x)).toBeLessThan(2e-5);
  }
});

test('the last step is the guess itself, and the one before it of first order', () => {
  const process = diffusionProcess(SETTINGS, '20');
  const [x, last] = [normalNoise(1, 0, LENGTH), normalNoise(3, 0, LENGTH)];
  const guess = normalNoise(2, 0, LENGTH);
  expect(dpmSolverSample(process, 0, x, guess, last)).toEqual(guess);
  expect(dpmSolverSample(process, 1, x, guess, last)).toEqual(dpmSolverSample(process, 1, x, guess, null));
});

// The formula of the paper, written out in float64.
test('a step of second order is that of algorithm 2', () => {
  const process = diffusionProcess(SETTINGS, '10,4');
  const { alphas_cumprod } = process.tables;
  const [x, guess, last] = [1, 2, 3].map((seed) => normalNoise(seed, 0, LENGTH)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (const index of [12, 7, 2]) {
    const alpha = (i: number): number => Math.sqrt(alphas_cumprod[i]!);
    const sigma = (i: number): number => Math.sqrt(1 - alphas_cumprod[i]!);
    const lambda = (i: number): number => Math.log(alpha(i) / sigma(i));
    const h = lambda(index - 1) - lambda(index);
    const r = (lambda(index) - lambda(index + 1)) / h;
    const expected = x.map((value, i) => {
      const data = (1 + 1 / (2 * r)) * guess[i]! - (1 / (2 * r)) * last[i]!;
      return (sigma(index - 1) / sigma(index)) * value - alpha(index - 1) * (Math.exp(-h) - 1) * data;
    });
    expect(worst(dpmSolverSample(process, index, x, guess, last), expected)).toBeLessThan(2e-6);
  }
});

// Images of independent pixels N(0, s^2), whose best prediction and whose flow are known: it only scales.
describe('on images whose flow is known', () => {
  const s = 0.5;
  const drawn = (process: DiffusionProcess, sampler: Sampler, start: Float32Array): Float32Array => {
    let [x, last]: [Float32Array, Float32Array | null] = [start, null];
    for (let index = process.timestep_map.length - 1; index >= 0; index--) {
      const a = process.tables.alphas_cumprod[index]!;
      const output = x.map((value) => (Math.sqrt(1 - a) * value) / (a * s * s + 1 - a));
      const step = takeStep(sampler, { process, index, x, output, noise: null, clip: false, kept: last });
      [x, last] = [step.x, step.kept];
    }
    return x;
  };

  test.each([10, 20, 40])('%i steps are nearer to the end than DDIM’s', (steps) => {
    const process = diffusionProcess(SETTINGS, `${steps}`);
    const start = normalNoise(9, 0, LENGTH);
    const end = start.map((value) => s * value);
    const error = (sampler: Sampler): number => worst(drawn(process, sampler, start), end);
    expect(error({ kind: 'dpmpp' })).toBeLessThan(0.8 * error({ kind: 'ddim', eta: 0 }));
  });
});
