// The draw of dropout: which words it takes of Philox, which of them are kept, and what it does not depend on.

import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { philox4x32 } from '../../../runtime/sampler/philox.ts';
import {
  dropoutFactor,
  dropoutMask,
  dropoutThreshold,
  dropoutWords,
} from '../../../runtime/training/dropout.ts';

test('channel c of a pixel is word c mod 4 of the block of its quad', () => {
  const [seed, step, sample, block, pixels] = [5 + 3 * 2 ** 32, 9, 6, 11, 10];
  const row = dropoutWords({ seed, step, first_sample: sample }, 1);
  expect(row).toEqual([5, 3, 9, 6]);
  const mask = dropoutMask(row, { p: 0.4, block }, 7, pixels);
  const words = new Uint32Array(4);
  for (let channel = 0; channel < 7; channel++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      const quad = Math.floor(channel / 4);
      philox4x32([quad * pixels + pixel, sample, step, 5 + 256 * block], [5, 3], words);
      const kept = words[channel % 4]! < Math.round(0.6 * 2 ** 32) ? 1 : 0;
      expect(mask[channel * pixels + pixel], `channel ${channel}, pixel ${pixel}`).toBe(kept);
    }
  }
});

test('a batch that is cut into microbatches has the masks of the whole', () => {
  const draw = { seed: 2 ** 52 + 1, step: 4_000_000_000 };
  const whole = dropoutWords(draw, 7);
  const cut = [0, 1, 5].flatMap((first, i) => dropoutWords({ ...draw, first_sample: first }, [1, 4, 2][i]!));
  expect(cut).toEqual(whole);
});

describe('the share that is kept', () => {
  it('is 1 - p of all words', () => {
    expect(dropoutThreshold(0.5)).toBe(2 ** 31);
    expect(dropoutThreshold(0.3)).toBe(3006477107);
    expect(dropoutThreshold(1e-12)).toBe(2 ** 32 - 1);
    expect(dropoutFactor(0.5)).toBe(2);
    expect(dropoutFactor(0.3)).toBe(Math.fround(1 / 0.7));
  });

  it('is near 1 - p in every mask', () => {
    const size = 64 * 256;
    fc.assert(
      fc.property(
        fc.constantFrom(0.1, 0.3, 0.5, 0.9),
        fc.nat(3),
        fc.nat(3),
        fc.nat(3),
        (p, seed, step, block) => {
          const words = dropoutWords({ seed, step }, 2);
          for (const k of [0, 1]) {
            const mask = dropoutMask(words.slice(4 * k, 4 * k + 4), { p, block }, 64, 256);
            const share = mask.reduce((sum, kept) => sum + kept, 0) / size;
            // six deviations of a mean of so many
            expect(Math.abs(share - (1 - p))).toBeLessThan(6 * Math.sqrt((p * (1 - p)) / size));
          }
        },
      ),
      { numRuns: 40, seed: 3 },
    );
  });

  it('differs by each of what it is drawn by', () => {
    const of = (seed: number, step: number, first_sample: number, block: number) =>
      dropoutMask(dropoutWords({ seed, step, first_sample }, 1), { p: 0.5, block }, 8, 16).join('');
    const masks = [
      of(1, 2, 3, 4),
      of(2, 2, 3, 4),
      of(2 ** 32 + 1, 2, 3, 4),
      of(1, 3, 3, 4),
      of(1, 2, 4, 4),
      of(1, 2, 3, 5),
    ];
    expect(new Set(masks).size).toBe(masks.length);
    expect(of(1, 2, 3, 4)).toBe(masks[0]);
  });
});
