// Tiles for matrix units: whatever the sizes, every output pixel is a row of one tile, every tap of a row is in the patch,
// and nothing but the channels of a tile depends on the batch.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sizeOf } from '../../../../compiler/ops/op.ts';
import { type MatrixTile, matrixTile } from '../../../../compiler/schedule/choices/matrix-tiles.ts';
import { initialGroups } from '../../../../compiler/schedule/groups.ts';
import { padSpace } from '../../../../compiler/schedule/values.ts';
import { NVIDIA } from '../../../../compiler/target.ts';
import { opsOver } from '../../../run-ops.ts';

interface Sizes {
  readonly space: readonly number[];
  readonly kernel: readonly number[];
}

const sizes: fc.Arbitrary<Sizes> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 70 }), fc.constantFrom(1, 3, 3, 5)), {
    minLength: 1,
    maxLength: 3,
  })
  .map((dims) => ({ space: dims.map(([size]) => size), kernel: dims.map(([, k]) => k) }));

function tileOf({ space, kernel }: Sizes, batch: number, channels: number): MatrixTile {
  const graph = opsOver([batch, 4, ...space], (b) => {
    const weights = b.weights('conv', [channels, 4, ...kernel]);
    const attrs = { stride: kernel.map(() => 1), padding: kernel.map((k) => (k - 1) / 2) };
    return b.add('conv', [b.x, ...weights], attrs, 'conv');
  });
  const [group] = initialGroups(graph).filter((one) => one.kind === 'conv');
  return matrixTile(graph, group!, NVIDIA.matrices!);
}

/** Where a row of the product is in the patch, as the kernel computes it. */
function rowOf({ run, pitch }: MatrixTile, row: number): number {
  const block = Math.floor(row / 16);
  return Math.floor(block / run) * pitch + (block % run) * 16 + (row % 16);
}

test('every output pixel is a row of one tile', () => {
  fc.assert(
    fc.property(sizes, (given) => {
      const tile = tileOf(given, 1, 8);
      const { width, height, grid } = tile;
      const seen = new Set<number>();
      const across = Math.ceil(grid.width / width);
      for (let t = 0; t < across * Math.ceil(grid.height / height); t++) {
        for (let row = 0; row < tile.blocks * 16; row++) {
          const [x, y] = [rowOf(tile, row) % tile.pitch, Math.floor(rowOf(tile, row) / tile.pitch)];
          const at = [(t % across) * width + x, Math.floor(t / across) * height + y] as const;
          if (x >= width || y >= height || at[0] >= grid.width || at[1] >= grid.height) continue;
          expect(seen.has(at[1] * grid.width + at[0])).toBe(false);
          seen.add(at[1] * grid.width + at[0]);
        }
      }
      expect(seen.size).toBe(sizeOf(given.space));
    }),
    { numRuns: 60 },
  );
});

test('a patch has a row for each tap of each row, also of those that are dropped', () => {
  fc.assert(
    fc.property(sizes, (given) => {
      const tile = tileOf(given, 1, 8);
      const [depth, down, across] = tile.shared ? padSpace(given.kernel, 1) : [1, 1, 1];
      const last = ((depth - 1) * (tile.height + down - 1) + down - 1) * tile.pitch + across - 1;
      expect(rowOf(tile, tile.blocks * 16 - 1) + last).toBeLessThan(tile.room);
      expect(tile.rows).toBeLessThanOrEqual(tile.room);
      // statistics take all tiles but the last to have as many pixels
      const whole = tile.width === tile.grid.width || tile.grid.height === 1;
      const full = tile.grid.width % tile.width === 0 && tile.grid.height % tile.height === 0;
      expect(full || whole).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test('the batch changes the channels of a tile, and nothing else', () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 300 }), (given, channels) => {
      const { channels: few, ...one } = tileOf(given, 1, channels);
      const { channels: many, ...all } = tileOf(given, 64, channels);
      expect(all).toEqual(one);
      expect(many).toBeGreaterThanOrEqual(few);
      expect(many).toBeLessThan(channels + 32);
    }),
    { numRuns: 100 },
  );
});

test.each([
  [[32, 32], 8, 16, 8, 180],
  [[16, 16], 4, 16, 4, 108],
  [[64, 64], 8, 16, 8, 180],
  [[8, 8], 4, 4, 8, 60],
  [[28, 28], 4, 14, 4, 96],
])('a 3x3 convolution of %j', (space, blocks, width, height, rows) => {
  const tile = tileOf({ space, kernel: [3, 3] }, 1, 128);
  expect(tile).toMatchObject({ blocks, width, height, rows, shared: true });
});
