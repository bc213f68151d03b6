// Weights in arenas: aligned, apart from each other, within what a binding may hold.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeBlobs } from '../../../compiler/codegen/arenas.ts';
import type { WeightBlob } from '../../../compiler/codegen/kernel-call.ts';
import { DEFAULT_LIMITS, GENERIC } from '../../../compiler/target.ts';

const target = { ...GENERIC, limits: { ...DEFAULT_LIMITS, maxStorageBufferBindingSize: 4096 } };
const blob = (length: number): WeightBlob => ({ length, texture: false, parts: [] });

test('blobs stand apart at multiples of 256 bytes, inside their arenas', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1024 })), (lengths) => {
      const { sizes, blobs } = placeBlobs(lengths.map(blob), target);
      expect(blobs.map((b) => b.length)).toEqual(lengths);
      const end: number[] = [];
      for (const { arena, offset, length } of blobs) {
        expect(offset % 256).toBe(0);
        expect(offset).toBeGreaterThanOrEqual(end[arena!] ?? 0);
        end[arena!] = offset + length * 4;
      }
      expect(sizes).toEqual(end);
      for (const bytes of sizes) expect(bytes).toBeLessThanOrEqual(4096);
    }),
  );
});

test('weights that the limit does not hold have an arena of their own', () => {
  const { sizes, blobs } = placeBlobs([blob(4), blob(2000), blob(4)], target);
  expect(sizes).toEqual([16, 8000, 16]);
  expect(blobs.map((b) => b.arena)).toEqual([0, 1, 2]);
});

test('weights in textures take no room in arenas', () => {
  const { sizes, blobs } = placeBlobs([{ ...blob(500), texture: true }, blob(4)], target);
  expect(sizes).toEqual([16]);
  expect(blobs.map((b) => b.arena)).toEqual([null, 0]);
});
