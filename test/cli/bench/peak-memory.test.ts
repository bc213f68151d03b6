import { expect, test } from 'vitest';
import { peakMemory } from '../../../cli/bench/peak-memory.ts';

test('the peak is at least what is held now, and grows with it', () => {
  const before = peakMemory();
  expect(before).toBeGreaterThan(2 ** 24);
  const more = new Uint8Array(2 ** 28).fill(1);
  expect(peakMemory()).toBeGreaterThan(2 ** 28);
  expect(peakMemory()).toBeGreaterThanOrEqual(before);
  expect(more[5]).toBe(1);
});
