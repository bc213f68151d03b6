// Weights on their way to the GPU: every piece once and in its place, few under way, one tensor at a time in memory.

import { expect, it } from 'vitest';
import type { Manifest } from '../../runtime/bundle.ts';
import type { Memory } from '../../runtime/memory.ts';
import { type ReadParameter, STAGING_BYTES, uploadWeights } from '../../runtime/upload.ts';

const ROW = 8192;

const vector = (param: string, length: number) =>
  ({ kind: 'vector', param, length, row: length, accumulate: false, offset: 0 }) as const;

/** Three entries: more floats than are under way at once, a texture of broken rows, and a small one. */
const LENGTHS = [20 * 2 ** 20, 5 * ROW + 1, 3] as const;

const manifest = {
  parameters: LENGTHS.map((length, i) => ({ name: `p${i}`, shape: [length] })),
  weights: LENGTHS.map((length, i) => ({
    ...{ arena: i === 1 ? null : 0, offset: 0, length },
    parts: [vector(`p${i}`, length)],
  })),
} as unknown as Manifest;

/** A queue that is past what was written when it is asked, and what lay in its staging memory at the most. */
function recorder() {
  const written = LENGTHS.map(() => new Map<number, Float32Array>());
  let [staged, most] = [0, 0];
  const memory = {
    row: (entry: number) => (entry === 1 ? ROW : 1),
    write(entry: number, first: number, piece: Float32Array) {
      written[entry]!.set(first, piece.slice());
      staged += piece.byteLength;
      most = Math.max(most, staged);
    },
  } as unknown as Memory;
  const queue = {
    submit: () => undefined,
    onSubmittedWorkDone: async () => {
      const bytes = staged;
      await new Promise((resolve) => setTimeout(resolve, 2));
      staged -= bytes;
    },
  };
  return { written, memory, device: { queue } as unknown as GPUDevice, most: () => most };
}

const read: ReadParameter = (name, scratch) => {
  const entry = Number(name.slice(1));
  const values = scratch!.floats(LENGTHS[entry]!);
  for (let i = 0; i < values.length; i++) values[i] = entry + i;
  return values;
};

it('writes every float of every entry once, and zeros to the end of a row', async () => {
  const { written, memory, device } = recorder();
  await uploadWeights(manifest, memory, read, device);
  for (const [entry, length] of LENGTHS.entries()) {
    let at = 0;
    for (const [first, piece] of [...written[entry]!].sort(([a], [b]) => a - b)) {
      expect(first).toBe(at);
      const wrong = piece.findIndex(
        (value, i) => value !== (at + i < length ? Math.fround(entry + at + i) : 0),
      );
      expect(wrong, `entry ${entry}`).toBe(-1);
      at += piece.length;
    }
    expect(at).toBe(entry === 1 ? 6 * ROW : length);
  }
});

it('has no more under way than it says', async () => {
  const { memory, device, most } = recorder();
  await uploadWeights(manifest, memory, read, device);
  expect(most()).toBeLessThanOrEqual(STAGING_BYTES);
  expect(most()).toBeGreaterThan(STAGING_BYTES / 4);
});

it('uses the memory that tensors are read to again', async () => {
  const { memory, device } = recorder();
  const buffers = new Set<ArrayBufferLike>();
  await uploadWeights(
    manifest,
    memory,
    (name, scratch) => {
      const values = read(name, scratch);
      buffers.add(values.buffer);
      return values;
    },
    device,
  );
  expect(buffers.size).toBe(1);
});

it('throws what reading throws', async () => {
  const { memory, device } = recorder();
  const fails = () => {
    throw new Error('cut short');
  };
  await expect(uploadWeights(manifest, memory, fails, device)).rejects.toThrow('cut short');
});
