// Packed weights in textures: a stretch that begins and ends anywhere is copied texel by texel, in few rectangles.

import { expect, it, vi } from 'vitest';
import type { Manifest } from '../../runtime/bundle.ts';
import { allocate } from '../../runtime/memory.ts';

const WIDTH = 8;
const TEXELS = 45;

vi.stubGlobal('GPUBufferUsage', {});
vi.stubGlobal('GPUTextureUsage', {});

const manifest = {
  ...{ texture_width: WIDTH, dispatches: [], arenas: [4096], slots: [] },
  weights: [
    { arena: null, offset: 0, length: 4 * TEXELS, parts: [] },
    { arena: 0, offset: 256, length: 99, parts: [] },
  ],
} as unknown as Manifest;

const device = {
  createBuffer: () => ({}),
  createTexture: () => ({ createView: () => ({}) }),
  queue: { writeBuffer: () => undefined },
} as unknown as GPUDevice;

const memory = allocate(manifest, device);
const staging = {} as GPUBuffer;

/** For every texel of the texture the byte of the staging buffer that it was copied from, and how many copies it took. */
function copied(offset: number, first: number, count: number) {
  const texels = new Map<number, number>();
  let copies = 0;
  const encoder = {
    copyBufferToTexture(
      from: GPUTexelCopyBufferInfo,
      { origin }: { origin: readonly [number, number] },
      [width, height]: readonly [number, number],
    ) {
      expect(from.bytesPerRow).toBe(WIDTH * 16);
      expect(origin[0] + width).toBeLessThanOrEqual(WIDTH);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const texel = (origin[1] + y) * WIDTH + origin[0] + x;
          expect(texels.has(texel)).toBe(false);
          texels.set(texel, from.offset! + y * from.bytesPerRow! + x * 16);
        }
      }
      copies++;
    },
  } as unknown as GPUCommandEncoder;
  memory.copyWeights(encoder, staging, offset, 0, first * 4, count * 4);
  return { texels, copies };
}

it.each([
  ['whole rows', 8, 16, 1],
  ['within a row', 10, 3, 1],
  ['to the end of a row', 10, 6, 1],
  ['across rows', 10, 10, 2],
  ['rows with a beginning and an end', 13, 29, 3],
] as const)('%s', (_, first, count, most) => {
  const { texels, copies } = copied(320, first, count);
  expect(copies).toBe(most);
  expect([...texels].sort(([a], [b]) => a - b)).toEqual(
    Array.from({ length: count }, (_, i) => [first + i, 320 + 16 * i]),
  );
});

it('counts the rest of a last row', () => {
  expect([memory.floats(0), memory.floats(1)]).toEqual([4 * 48, 99]);
});

it('copies to arenas as they lie', () => {
  const copyBufferToBuffer = vi.fn();
  memory.copyWeights({ copyBufferToBuffer } as unknown as GPUCommandEncoder, staging, 64, 1, 8, 12);
  expect(copyBufferToBuffer.mock.calls[0]!.filter((value) => typeof value === 'number')).toEqual([
    64,
    256 + 32,
    48,
  ]);
});
