import { expect, test } from 'vitest';
import { timestepEmbedding } from '../../runtime/timestep-embedding.ts';

const USUAL = { dim: 8, max_period: 10000, order: 'cos_sin', shift: 0 } as const;

test('sines may stand first, and the frequencies may fall to the last one', () => {
  const usual = timestepEmbedding([37.5], USUAL);
  const flipped = timestepEmbedding([37.5], { ...USUAL, order: 'sin_cos' });
  expect([...flipped]).toEqual([...usual.slice(4), ...usual.slice(0, 4)]);
  // diffusers' get_timestep_embedding with downscale_freq_shift 1: the last frequency is 1 / max_period
  const shifted = timestepEmbedding([37.5], { ...USUAL, shift: 1 });
  for (let i = 0; i < 4; i++) {
    expect(shifted[i]).toBeCloseTo(Math.cos(37.5 * 10000 ** (-i / 3)), 5);
    expect(shifted[4 + i]).toBeCloseTo(Math.sin(37.5 * 10000 ** (-i / 3)), 5);
  }
});

test('an odd dim ends in a zero, and rows are whole quads', () => {
  const rows = timestepEmbedding([1, 2], { ...USUAL, dim: 5 });
  expect(rows).toHaveLength(16);
  expect([...rows.slice(4, 8)]).toEqual([0, 0, 0, 0]);
});
