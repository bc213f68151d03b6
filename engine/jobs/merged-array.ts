// The samples of several manifests as one `.npz`: arr_0 [N, ...space, C] in bytes, and where all have one, their labels
// as arr_1. Pictures are read one by one, files that hold many a file at a time.

import path from 'node:path';
import { readFile } from '../../runtime/host/node/files.ts';
import { elements } from '../../runtime/tensor.ts';
import { asFloat32, readTensors } from '../../runtime/weights/safetensors.ts';
import { OptionError } from '../errors.ts';
import type { Entry, Manifest } from './manifest.ts';
import { npzChunks } from './npy.ts';
import { readArrays } from './numpy-files.ts';
import { readPicture } from './store.ts';
import { arraysOf, channelsLast } from './tensor-files.ts';

/** A sample with where it was found. */
export interface FoundSample {
  readonly entry: Entry;
  readonly manifest: Manifest;
  readonly folder: string;
  /** The manifest's path. */
  readonly source: string;
  /** Position among the samples of its manifest. */
  readonly row: number;
}

/** @param samples at least one, of one recipe */
export function npzOf(samples: readonly FoundSample[]): Generator<Uint8Array> {
  const { channels, space } = shapeOf(samples[0]!.manifest);
  const labels = samples.map(({ entry }) => entry.label);
  const images = {
    dtype: '|u1',
    shape: [samples.length, ...space, channels],
    values: () => rowsOf(samples, channels, space),
  } as const;
  return npzChunks(arraysOf(images, labels.every((label) => label !== undefined) ? labels : null));
}

function* rowsOf(
  samples: readonly FoundSample[],
  channels: number,
  space: readonly number[],
): Generator<Uint8Array> {
  const length = channels * elements(space);
  let [heldFile, held]: [string, Uint8Array] = ['', new Uint8Array(0)];
  for (const { entry, manifest, folder, row } of samples) {
    if (entry.file !== undefined) {
      yield pictureBytes(path.join(folder, entry.file), channels, space);
      continue;
    }
    const file = path.join(folder, manifest.files[0]!.file);
    if (heldFile !== file) [heldFile, held] = [file, fileRows(file, channels, space)];
    yield held.subarray(row * length, (row + 1) * length);
  }
}

function shapeOf({ recipe }: Manifest): { readonly channels: number; readonly space: readonly number[] } {
  return { channels: Number(recipe.channels), space: String(recipe.size).split('x').map(Number) };
}

/** A picture as bytes [height, width, channels]. */
function pictureBytes(file: string, channels: number, space: readonly number[]): Uint8Array {
  const pixels = readPicture(file);
  const [height, width] = space;
  const fits = space.length === 2 && pixels.width === width && pixels.height === height;
  if (!fits || (channels !== 1 && channels !== 3) || pixels.channels > channels) {
    throw unusable(file, `it cannot be read as an image of ${space.join('x')} in ${channels} channels`);
  }
  const { data } = pixels;
  if (pixels.channels === channels) return data;
  return new Uint8Array(data.length * channels).map((_, i) => data[Math.floor(i / channels)]!);
}

/** All rows of a file of samples in the format npz, npy or safetensors, as bytes [N, ...space, channels]. */
function fileRows(file: string, channels: number, space: readonly number[]): Uint8Array {
  const origin = { kind: 'input', label: file } as const;
  if (file.endsWith('.safetensors')) {
    const samples = readTensors(readFile(origin), origin).get('samples');
    if (samples === undefined) throw unusable(file, 'it has no tensor samples');
    const { data } = asFloat32(samples);
    const length = channels * elements(space);
    const bytes = new Uint8Array(data.length);
    for (let at = 0; at < data.length; at += length) {
      bytes.set(channelsLast(data.subarray(at, at + length), channels, elements(space)), at);
    }
    return bytes;
  }
  const array = readArrays(origin, ['arr_0']).get('arr_0')!;
  if (array.dtype !== 'U8') throw unusable(file, 'it holds no array of bytes');
  return array.bytes;
}

function unusable(file: string, why: string): OptionError {
  return new OptionError(
    'input',
    (option) => `${file}: ${why}; draw the samples with ${option('format')} npz`,
  );
}
