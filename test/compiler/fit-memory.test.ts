// The loop over prices: the first result that fits, else the one that takes least.

import { describe, expect, it } from 'vitest';
import { fitMemory } from '../../compiler/fit-memory.ts';

/** Compilations by price: what is asked for, and how many bytes each takes. */
function fitted(limit: number, bytesAt: (price: number) => number, lowest = 0) {
  const asked: number[] = [];
  const price = fitMemory(
    limit,
    (at) => {
      asked.push(at);
      return at;
    },
    bytesAt,
    lowest,
  );
  return { price, asked };
}

describe('a memory limit', () => {
  it('that the fastest result keeps costs nothing', () => {
    expect(fitted(100, () => 100)).toEqual({ price: 0, asked: [0] });
  });

  it('takes the lowest price at which the result fits', () => {
    const { price, asked } = fitted(100, (at) => (at >= 3e-4 ? 90 : 110));
    expect(price).toBe(3e-4);
    expect(asked).toEqual([0, 1e-4, 2e-4, 3e-4]);
  });

  it('takes the least of all where none fits, and of equal ones the fastest', () => {
    expect(fitted(1, (at) => (at >= 2e-4 ? 90 : 110)).price).toBe(2e-4);
    expect(fitted(1, () => 5).price).toBe(0);
  });

  it('begins at the lowest price that is asked for', () => {
    const { price, asked } = fitted(100, (at) => (at >= 8e-4 ? 90 : 110), 5e-4);
    expect(price).toBe(8e-4);
    expect(asked).toEqual([5e-4, 8e-4]);
  });

  it('is not misled by a price at which the result takes more', () => {
    expect(fitted(1, (at) => (at === 1e-4 ? 50 : at === 0 ? 60 : 70)).price).toBe(1e-4);
  });
});
