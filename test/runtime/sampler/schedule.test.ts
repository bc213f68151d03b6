import { describe, expect, test } from 'vitest';
import { RuntimeError } from '../../../runtime/errors.ts';
import { diffusionProcess } from '../../../runtime/sampler/process.ts';
import { FEWEST_STEPS, scheduleBetas, scheduleTables } from '../../../runtime/sampler/schedule.ts';
import { SAMPLER_CASES } from '../../sampler-cases.ts';

describe.each(SAMPLER_CASES)('$name', ({ settings, respacing, tensors }) => {
  const process = diffusionProcess(settings, respacing);

  test.each(['betas', 'alphas_cumprod', 'posterior_variance', 'posterior_log_variance_clipped'] as const)(
    '%s agree with the original to 1e-12',
    (name) => {
      const expected = tensors(`schedule.${name}`).data;
      const found = process.tables[name];
      expect(found.length).toBe(expected.length);
      found.forEach((value, i) => {
        const bound = 1e-12 * Math.max(1, Math.abs(expected[i]!));
        expect(Math.abs(value - expected[i]!), `index ${i}`).toBeLessThanOrEqual(bound);
      });
    },
  );

  test('keeps the timesteps that the original keeps', () => {
    expect(process.timestep_map).toEqual(tensors('schedule.timestep_map').data);
  });

  test('feeds the model the original timestep, rescaled where asked for', () => {
    const scale = settings.rescale_timesteps ? 1000 / settings.steps : 1;
    expect(process.model_timesteps).toEqual(process.timestep_map.map((t) => Math.fround(t * scale)));
  });
});

describe.each(['linear', 'cosine'] as const)('%s', (schedule) => {
  const tables = scheduleTables(scheduleBetas(schedule, 200));
  const last = 199;

  test('every table is finite and as long as the process', () => {
    for (const [name, table] of Object.entries(tables)) {
      expect(table.length, name).toBe(200);
      expect(table.every(Number.isFinite), name).toBe(true);
    }
  });

  test('noise grows with time, from almost none to almost all', () => {
    for (let i = 1; i <= last; i++)
      expect(tables.alphas_cumprod[i]).toBeLessThan(tables.alphas_cumprod[i - 1]!);
    expect(tables.alphas_cumprod[0]).toBeGreaterThan(0.99);
    expect(tables.alphas_cumprod[last]).toBeLessThan(1e-4);
  });

  test('neighbours are shifted copies, with 1 before the image and 0 after pure noise', () => {
    const { alphas_cumprod, alphas_cumprod_prev, alphas_cumprod_next } = tables;
    expect([...alphas_cumprod_prev]).toEqual([1, ...alphas_cumprod.slice(0, last)]);
    expect([...alphas_cumprod_next]).toEqual([...alphas_cumprod.slice(1), 0]);
  });

  // q(x_t-1 | x_t, x_0) averaged over q(x_t | x_0) must be q(x_t-1 | x_0): mean and variance both.
  test('the posterior is consistent with the forward process', () => {
    for (let i = 0; i <= last; i++) {
      const [a, previous] = [tables.alphas_cumprod[i]!, tables.alphas_cumprod_prev[i]!];
      const [coef1, coef2] = [tables.posterior_mean_coef1[i]!, tables.posterior_mean_coef2[i]!];
      expect(coef1 + coef2 * Math.sqrt(a)).toBeCloseTo(Math.sqrt(previous), 10);
      expect(coef2 ** 2 * (1 - a) + tables.posterior_variance[i]!).toBeCloseTo(1 - previous, 10);
    }
  });

  test('the derived tables invert each other', () => {
    for (let i = 0; i <= last; i++) {
      const a = tables.alphas_cumprod[i]!;
      expect(tables.sqrt_alphas_cumprod[i]! * tables.sqrt_recip_alphas_cumprod[i]!).toBeCloseTo(1, 12);
      expect(tables.sqrt_one_minus_alphas_cumprod[i]! / tables.sqrt_alphas_cumprod[i]!).toBeCloseTo(
        tables.sqrt_recipm1_alphas_cumprod[i]!,
        7,
      );
      expect(Math.exp(tables.log_one_minus_alphas_cumprod[i]!)).toBeCloseTo(1 - a, 12);
    }
  });

  test('too few steps are refused with the fewest that work', () => {
    const fewest = FEWEST_STEPS[schedule];
    expect(scheduleBetas(schedule, fewest).every((beta) => beta > 0 && beta < 1)).toBe(true);
    expect(() => scheduleBetas(schedule, fewest - 1)).toThrow(RuntimeError);
    expect(() => scheduleBetas(schedule, fewest - 1)).toThrow(`at least ${fewest} steps, not ${fewest - 1}`);
    expect(() => scheduleBetas(schedule, 100.5)).toThrow('not 100.5');
  });
});
