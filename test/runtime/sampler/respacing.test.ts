import { describe, expect, test } from 'vitest';
import { RuntimeError } from '../../../runtime/errors.ts';
import { respaceBetas, spaceTimesteps } from '../../../runtime/sampler/respacing.ts';
import { cumulativeAlphas, scheduleBetas } from '../../../runtime/sampler/schedule.ts';

// What improved-diffusion's `space_timesteps` returns.
test.each([
  [100, '10', [0, 11, 22, 33, 44, 55, 66, 77, 88, 99]],
  [100, 'ddim10', [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]],
  [100, 'ddim7', [0, 15, 30, 45, 60, 75, 90]],
  [30, '3,2,4', [0, 4, 9, 10, 19, 20, 23, 26, 29]],
  [31, '3,2,1,0', [0, 4, 7, 8, 15, 16]],
  [10, '7', [0, 2, 3, 4, 6, 8, 9]],
  [10, '4,4', [0, 1, 3, 4, 5, 6, 8, 9]],
  [1000, 'ddim5', [0, 200, 400, 600, 800]],
  [4000, '5', [0, 1000, 2000, 2999, 3999]],
  [16, '0,6', [8, 9, 11, 12, 14, 15]],
])('%i timesteps as %s', (steps, respacing, expected) => {
  expect(spaceTimesteps(steps, respacing)).toEqual(expected);
});

const CHECKSUMS = {
  '2': 1000,
  '3': 16532,
  '10': 830600,
  '25': 954819,
  '50': 835191,
  '100': 995544,
  '123': 426168,
  '250': 326374,
  '333': 786183,
  '500': 252646,
  '501': 766412,
  '750': 455893,
  '997': 569463,
  '999': 684910,
  '1000': 459951,
  ddim25: 640491,
  ddim50: 815685,
  ddim100: 189821,
  ddim250: 795840,
  ddim500: 477371,
  '10,10,10,10': 112193,
  '10,15,20': 140176,
  '300,1,7': 353107,
  '2,2': 497064,
  '100,50,25,12,6': 835776,
  '0,0,100': 726720,
  ddim1000: 459951,
  ddim334: 603262,
  '200,201,250': 226361,
};

test('a long list of counts agrees with the original', () => {
  for (const [respacing, checksum] of Object.entries(CHECKSUMS)) {
    const spaced = spaceTimesteps(1000, respacing);
    expect(
      spaced.reduce((sum, t, i) => (sum * 31 + t + i) % 1_000_003, 0),
      respacing,
    ).toBe(checksum);
  }
});

test('no respacing keeps every timestep', () => {
  expect(spaceTimesteps(5, '')).toEqual([0, 1, 2, 3, 4]);
  expect(spaceTimesteps(5, '5')).toEqual([0, 1, 2, 3, 4]);
  expect(spaceTimesteps(5, 'ddim5')).toEqual([0, 1, 2, 3, 4]);
});

describe('errors', () => {
  test.each([
    ['51', 50, '"51" section 1 of 1 has 50 of the 50 timesteps and cannot give 51; ask for at most 50'],
    ['10,20,10', 50, 'section 2 of 3 has 17 of the 50 timesteps and cannot give 20; ask for at most 17'],
    ['ddim60', 50, 'no whole stride through 50 timesteps makes 60; use ddim50'],
    ['ddim300', 1000, 'no whole stride through 1000 timesteps makes 300; use ddim250 or ddim334'],
    ['ddim1', 1000, 'no whole stride through 1000 timesteps makes 1; use ddim2'],
    ['1', 1000, 'keeps 1 of 1000 timesteps; keep at least 2'],
    ['0', 1000, 'keeps 0 of 1000 timesteps; keep at least 2'],
    ['fast', 1000, 'is not a respacing'],
    ['10,', 1000, 'is not a respacing'],
    ['-5', 1000, 'is not a respacing'],
    ['1e3', 1000, 'is not a respacing'],
    ['ddim10,10', 1000, 'is not a respacing'],
  ])('%s of %i', (respacing, steps, message) => {
    expect(() => spaceTimesteps(steps, respacing)).toThrow(RuntimeError);
    expect(() => spaceTimesteps(steps, respacing)).toThrow(message);
  });
});

test('the kept process passes through the same noise levels as the whole one', () => {
  const betas = scheduleBetas('cosine', 400);
  const whole = cumulativeAlphas(betas);
  const timesteps = spaceTimesteps(400, '20,5,10');
  const kept = cumulativeAlphas(respaceBetas(betas, timesteps));
  for (const [i, t] of timesteps.entries()) expect(kept[i]).toBeCloseTo(whole[t]!, 12);
});
