// Weights on their way to the GPU: every piece once and in its place, few under way, one tensor at a time in memory.

import { beforeAll, expect, it, vi } from 'vitest';
import type { Manifest } from '../../runtime/bundle.ts';
import type { Memory } from '../../runtime/memory.ts';
import { UNPACED } from '../../runtime/pacing.ts';
import { STAGING_BYTES } from '../../runtime/staging.ts';
import { type ReadParameter, uploadWeights } from '../../runtime/upload.ts';
import { packer } from '../../runtime/weights/pack.ts';

const ROW = 8192;

beforeAll(() => {
  vi.stubGlobal('GPUBufferUsage', { MAP_WRITE: 2, COPY_SRC: 4 });
  vi.stubGlobal('GPUMapMode', { WRITE: 2 });
});

const vector = (param: string, length: number) =>
  ({ kind: 'vector', stored: 'f32', param, length, row: length, accumulate: false, offset: 0 }) as const;

/** Three entries: more floats than are under way at once, a texture of broken rows, and a small one. */
const LENGTHS = [20 * 2 ** 20, 5 * ROW + 1, 3] as const;

const manifest = {
  parameters: LENGTHS.map((length, i) => ({ name: `p${i}`, shape: [length] })),
  weights: LENGTHS.map((length, i) => ({
    ...{ arena: i === 1 ? null : 0, offset: 0, length },
    parts: [vector(`p${i}`, length)],
  })),
} as unknown as Manifest;

/** A device whose queue takes a while, with the pieces that were copied and the staging buffers that were made. */
function recorder() {
  const written = LENGTHS.map(() => new Map<number, Float32Array>());
  const made = new Set<FakeBuffer>();
  const memory = {
    floats: (entry: number) => (entry === 1 ? 6 * ROW : LENGTHS[entry]!),
    copyWeights: (encoder, staging, offset, entry, first, length) =>
      (encoder as unknown as FakeEncoder).push(() => {
        const { sent } = staging as unknown as FakeBuffer;
        written[entry]!.set(first, new Float32Array(sent!, offset, length).slice());
      }),
  } as Pick<Memory, 'floats' | 'copyWeights'> as Memory;
  const device = {
    createBuffer({ size }: { size: number }) {
      const buffer = fakeBuffer(size);
      made.add(buffer);
      return buffer;
    },
    createCommandEncoder: () => {
      const copies: (() => void)[] = [];
      return { push: (copy: () => void) => copies.push(copy), finish: () => copies };
    },
    queue: {
      submit([copies]: (() => void)[][]) {
        for (const copy of copies!) copy();
      },
    },
  } as unknown as GPUDevice;
  return { written, memory, device, made };
}

/** What is recorded is copied when it is submitted. */
interface FakeEncoder {
  push(copy: () => void): void;
}

interface FakeBuffer {
  readonly size: number;
  sent: ArrayBuffer | null;
  destroyed: boolean;
}

function fakeBuffer(size: number): FakeBuffer {
  let mapped: ArrayBuffer | null = new ArrayBuffer(size);
  const buffer = {
    ...{ size, sent: null as ArrayBuffer | null, destroyed: false },
    getMappedRange: () => {
      if (mapped === null) throw new Error('not mapped');
      return mapped;
    },
    unmap() {
      buffer.sent = mapped;
      mapped = null;
    },
    async mapAsync() {
      await new Promise((resolve) => setTimeout(resolve, 2));
      mapped = new ArrayBuffer(size);
    },
    destroy() {
      buffer.destroyed = true;
    },
  };
  return buffer;
}

/** A device that is never lost. */
function openedOn(device: GPUDevice) {
  return { device, pacing: UNPACED, lost: new Promise<null>(() => {}), check: () => {} };
}

const read: ReadParameter = (name, scratch) => {
  const entry = Number(name.slice(1));
  const values = scratch!.floats(LENGTHS[entry]!);
  for (let i = 0; i < values.length; i++) values[i] = entry + i;
  return values;
};

it('writes every float of every entry once, and zeros to the end of a row', async () => {
  const { written, memory, device } = recorder();
  await uploadWeights(manifest, memory, read, openedOn(device));
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

it('takes no more staging memory than it says, and gives it back', async () => {
  const { memory, device, made } = recorder();
  await uploadWeights(manifest, memory, read, openedOn(device));
  expect([...made].reduce((sum, { size }) => sum + size, 0)).toBe(STAGING_BYTES);
  expect([...made].every(({ destroyed }) => destroyed)).toBe(true);
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
    openedOn(device),
  );
  expect(buffers.size).toBe(1);
});

it('reads what is packed together once, whatever number of stretches it takes', async () => {
  const inputs = 4096;
  const linear = (param: string, first_output: number) =>
    ({ kind: 'linear', param, outputs: 96, inputs, first_output, offset: 0 }) as const;
  const parts = [linear('a', 0), linear('b', 96)];
  const length = 192 * inputs;
  const joined = {
    parameters: parts.map(({ param }) => ({ name: param, shape: [96, inputs] })),
    weights: [{ arena: 0, offset: 0, length, parts }],
  } as unknown as Manifest;
  const valuesOf = (name: string) =>
    Float32Array.from({ length: 96 * inputs }, (_, i) => (name === 'a' ? 1 + i : -1 - i));
  const reads: string[] = [];
  const { written, memory, device } = recorder();
  const whole = { ...memory, floats: () => length };
  await uploadWeights(
    joined,
    whole,
    (name, scratch) => {
      reads.push(name);
      const values = scratch!.floats(96 * inputs);
      values.set(valuesOf(name));
      return values;
    },
    openedOn(device),
  );
  expect(reads).toEqual(['a', 'b']);
  const expected = new Float32Array(length);
  for (const part of parts) packer(part, valuesOf(part.param))(expected, 0);
  const found = new Float32Array(length);
  for (const [first, piece] of written[0]!) found.set(piece, first);
  expect(found.findIndex((value, i) => value !== expected[i])).toBe(-1);
});

it('throws what reading throws, and gives its memory back', async () => {
  const { memory, device, made } = recorder();
  const fails = () => {
    throw new Error('cut short');
  };
  await expect(uploadWeights(manifest, memory, fails, openedOn(device))).rejects.toThrow('cut short');
  expect([...made].every(({ destroyed }) => destroyed)).toBe(true);
});
