// All samples in one file, joined from their parts one after the other: safetensors in float32, or NumPy's arrays in
// bytes, as evaluation scripts expect them: arr_0 [N, ...space, C], and where the model has classes arr_1, the labels.

import path from 'node:path';
import { readFile, writeLargeFile } from '../../runtime/host/node/files.ts';
import { turnsOf } from '../../runtime/host/node/turns.ts';
import { quantize } from '../../runtime/image/pixels.ts';
import { elements } from '../../runtime/tensor.ts';
import { safetensorsChunks } from '../../runtime/weights/safetensors-write.ts';
import { fileDigest } from '../digest.ts';
import { placeInside } from './inside.ts';
import type { Format } from './job.ts';
import type { Entry, FileHash } from './manifest.ts';
import { int64Array, type NpyArray, npyChunks, npzChunks } from './npy.ts';

/** @param shape [C, ...space] of one sample */
export async function joinParts(
  format: Exclude<Format, 'png'>,
  out: string,
  name: string,
  entries: readonly Entry[],
  shape: readonly number[],
  signal: AbortSignal,
): Promise<FileHash> {
  const rows = (): Iterable<Float32Array> => readParts(out, entries);
  const file = path.join(out, name);
  const labels = entries.every(({ label }) => label !== undefined)
    ? entries.map(({ label }) => label!)
    : null;
  await writeLargeFile(file, chunksOf(format, shape, entries.length, rows, labels), signal);
  return { file: name, sha256: await fileDigest({ kind: 'output', label: file }, turnsOf(signal)) };
}

function chunksOf(
  format: Exclude<Format, 'png'>,
  shape: readonly number[],
  count: number,
  rows: () => Iterable<Float32Array>,
  labels: readonly number[] | null,
): Iterable<Uint8Array> {
  switch (format) {
    case 'safetensors':
      return safetensors(shape, count, rows);
    case 'npy':
      return npyChunks(byteArray(shape, count, rows));
    case 'npz':
      return npzChunks(arraysOf(byteArray(shape, count, rows), labels));
  }
}

/** The arrays of an `.npz` under the names that `numpy.savez` gives them. */
export function arraysOf(images: NpyArray, labels: readonly number[] | null): ReadonlyMap<string, NpyArray> {
  return new Map([['arr_0', images], ...(labels === null ? [] : [['arr_1', int64Array(labels)] as const])]);
}

function* readParts(out: string, entries: readonly Entry[]): Generator<Float32Array> {
  for (const { file } of entries) {
    const bytes = readFile({ kind: 'output', label: placeInside(out, file!) });
    yield new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  }
}

function* safetensors(
  shape: readonly number[],
  count: number,
  rows: () => Iterable<Float32Array>,
): Generator<Uint8Array> {
  const unread = (): never => {
    throw new Error('internal: rows are written one by one');
  };
  const [header] = safetensorsChunks([
    { name: 'samples', shape: [count, ...shape], dtype: 'F32', data: unread },
  ]);
  yield header!;
  for (const row of rows()) {
    const clamped = row.map((value) => Math.min(1, Math.max(-1, value)));
    yield new Uint8Array(clamped.buffer);
  }
}

/** Samples as bytes, channels last. */
function byteArray(shape: readonly number[], count: number, rows: () => Iterable<Float32Array>): NpyArray {
  const [channels = 1, ...space] = shape;
  return {
    dtype: '|u1',
    shape: [count, ...space, channels],
    *values() {
      for (const row of rows()) yield channelsLast(row, channels, elements(space));
    },
  };
}

/** One sample [C, ...space] as bytes [...space, C]. */
export function channelsLast(row: Float32Array, channels: number, pixels: number): Uint8Array {
  const bytes = new Uint8Array(row.length);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < pixels; i++) bytes[i * channels + c] = quantize(row[c * pixels + i]!);
  }
  return bytes;
}
