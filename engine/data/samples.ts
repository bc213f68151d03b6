// Samples of any kind of data, each readable on its own, by its place: pictures by threads, rows of arrays in this one.

import { fault } from '../../runtime/bytes.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { dequantize } from '../../runtime/image/pixels.ts';
import { elements } from '../../runtime/tensor.ts';
import { OptionError } from '../errors.ts';
import type { ArraySet } from './array-set.ts';
import { describeOutside, valueOutside, type Wanted } from './batch.ts';
import { fitArray } from './fit-array.ts';
import type { Pool } from './pool.ts';
import type { Raster, Rgb } from './raster.ts';
import { type Crop, mirror } from './reduce.ts';
import type { PictureFacts, Rendered } from './render.ts';
import type { Rows } from './rows.ts';

/** How a sample is to be read. */
export interface Look {
  readonly mirrored: boolean;
  readonly crop: Crop;
}

/** A sample that was read, or why it cannot be. */
export type Reading =
  | { readonly kind: 'read'; readonly facts: PictureFacts | null }
  | { readonly kind: 'bad'; readonly reason: string };

export interface Samples {
  readonly count: number;
  /** What messages call a sample. */
  name(sample: number): string;
  /**
   * Writes a sample's values [C, ...space] to `image`, and to `small` its small image, where the data has them (`small` is
   * null elsewhere). Rejects where the data as a whole is at fault, and where the system refuses to read a sample: what is
   * left out must not depend on the day.
   */
  read(sample: number, look: Look, image: Float32Array, small: Float32Array | null): Promise<Reading>;
  readonly hasSmall: boolean;
  /** Whether samples are pictures that threads reduce. */
  readonly rendered: boolean;
  close(): void;
}

/** Bytes as a model takes them. */
const VALUES = Float32Array.from({ length: 256 }, (_, byte) => dequantize(byte));

function write(planes: Uint8Array, image: Float32Array): void {
  for (let i = 0; i < planes.length; i++) image[i] = VALUES[planes[i]!]!;
}

/** @param files paths */
export function pictureSamples(
  files: readonly string[],
  { channels, space }: Wanted,
  background: Rgb | null,
  pool: Pool,
): Samples {
  const [height, width] = space;
  return {
    count: files.length,
    hasSmall: false,
    rendered: true,
    name: (sample) => files[sample]!,
    async read(sample, look, image) {
      const view = { channels: channels as 1 | 3 | 4, height: height!, width: width!, ...look };
      const rendered = await pool.render({
        source: { kind: 'file', file: files[sample]! },
        view,
        background,
      });
      return take(rendered, image);
    },
    close() {},
  };
}

function take(rendered: Rendered, image: Float32Array): Reading {
  if (rendered.kind === 'bad') return rendered;
  if (rendered.kind === 'refused') throw new RuntimeError('input', rendered.message);
  write(rendered.planes, image);
  return { kind: 'read', facts: rendered.facts };
}

/** Throws RuntimeError('input') where the arrays do not fit the model. */
export function arraySamples(
  set: ArraySet,
  wanted: Wanted,
  { background, crop }: { readonly background: Rgb | null; readonly crop: Crop['kind'] },
  pool: Pool,
): Samples {
  const { images, low_res } = set;
  const fit = fitArray(images, set.channels, wanted);
  if (crop === 'random' && fit.raster === undefined) {
    throw new OptionError(
      'input',
      (option) =>
        `${images.origin.label}: ${option('crop')} random takes pictures in uint8, and it is of ${images.dtype}; leave it out`,
    );
  }
  const small = low_res === null || wanted.low_res === null ? null : smallRows(set, wanted.low_res, wanted);
  const width = wanted.space.at(-1)!;
  return {
    count: images.shape[0]!,
    hasSmall: small !== null,
    rendered: fit.kind === 'picture' || crop === 'random',
    name: (sample) => `${images.origin.label}[${sample}]`,
    async read(sample, look, image, smallImage) {
      const values = images.read(sample);
      if (small !== null && smallImage !== null) {
        small.write(low_res!.read(sample), smallImage);
        checkRange(low_res!, sample, smallImage, wanted.range);
        if (look.mirrored) mirror(smallImage, wanted.low_res!.at(-1)!);
      }
      if (fit.kind === 'picture' || look.crop.kind === 'random') {
        const raster = fit.raster?.(values) ?? null;
        if (raster === null)
          throw fault(images.origin, 'only pictures in bytes can be cut at random; leave it out');
        return take(await renderRaster(raster, look, wanted, background, pool), image);
      }
      fit.write(values, image);
      checkRange(images, sample, image, wanted.range);
      if (look.mirrored) mirror(image, width);
      return { kind: 'read', facts: null };
    },
    close: () => set.close(),
  };
}

function renderRaster(
  raster: Raster,
  look: Look,
  { channels, space: [height, width] }: Wanted,
  background: Rgb | null,
  pool: Pool,
): Promise<Rendered> {
  const view = { channels: channels as 1 | 3 | 4, height: height!, width: width!, ...look };
  return pool.render({ source: { kind: 'raster', raster }, view, background });
}

function smallRows(set: ArraySet, size: readonly number[], wanted: Wanted) {
  const rows = set.low_res!;
  if (rows.shape[0] !== set.images.shape[0]) {
    throw fault(
      rows.origin,
      `there are ${rows.shape[0]} small images, and ${set.images.shape[0]} samples; give one for each`,
    );
  }
  const fit = fitArray(rows, set.channels, { ...wanted, space: size });
  if (fit.kind === 'exact') return fit;
  throw fault(
    rows.origin,
    `small images are [${rows.shape.join(', ')}]; the model takes them of ${size.join('x')}`,
  );
}

/** Values of a file are held to the range as they are read: nothing reads all of a large file twice. */
function checkRange({ origin }: Rows, sample: number, values: Float32Array, range: number | null): void {
  const wrong = valueOutside(values, range);
  if (wrong !== null) throw fault(origin, `sample ${sample} ${describeOutside(wrong, range)}`);
}

/** Elements of a sample. */
export function sampleLength({ channels, space }: Pick<Wanted, 'channels' | 'space'>): number {
  return channels * elements(space);
}
