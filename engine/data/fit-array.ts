// How the rows of an array become samples of a model: where their channels stand, what their numbers mean, and whether they
// are pictures of another size, to be reduced as files of pictures are.

import { fault } from '../../runtime/bytes.ts';
import { dequantize } from '../../runtime/image/pixels.ts';
import { elements } from '../../runtime/tensor.ts';
import type { TensorData } from '../../runtime/weights/dtypes.ts';
import type { Wanted } from './batch.ts';
import type { Colours, Raster } from './raster.ts';
import type { Rows } from './rows.ts';

export type ArrayFit =
  | {
      /** The rows have the model's size and channels. */
      readonly kind: 'exact';
      write(row: TensorData, sample: Float32Array): void;
      /** The row as a picture, where it is one. */
      readonly raster?: (row: TensorData) => Raster;
    }
  | { readonly kind: 'picture'; readonly raster: (row: TensorData) => Raster };

type Place = 'first' | 'last' | 'none';

/**
 * @param usual where channels stand when they could stand on both sides
 * @throws RuntimeError('input') with the shape that was found and those that are taken
 */
export function fitArray(rows: Rows, usual: 'first' | 'last', wanted: Wanted): ArrayFit {
  const [count, ...sizes] = rows.shape;
  const { channels, space } = wanted;
  if (count === 0) throw fault(rows.origin, 'it has no samples; give at least one');
  const value = meaningOf(rows);
  const exact = places(sizes, usual).find((place) => {
    const [found, size] = split(sizes, place);
    return found === channels && size.length === space.length && size.every((n, i) => n === space[i]);
  });
  const picture = rows.dtype === 'U8' && space.length === 2 ? pictureOf(sizes, usual, channels) : null;
  if (exact !== undefined) {
    return {
      kind: 'exact',
      write: (row, sample) => spread(row, exact, channels, elements(space), value, sample),
      ...(picture === null ? {} : { raster: picture }),
    };
  }
  if (picture !== null) return { kind: 'picture', raster: picture };
  const size = space.join(', ');
  const takes =
    channels === 1
      ? `[N, ${size}], [N, ${size}, 1] or [N, 1, ${size}]`
      : `[N, ${size}, ${channels}] or [N, ${channels}, ${size}]`;
  const bytes = space.length === 2 ? '; pictures in uint8 may be of any size' : '';
  throw fault(
    rows.origin,
    `it is [${rows.shape.join(', ')}] of ${rows.dtype}, and the model takes ${takes}${bytes}; change the graph's ` +
      'image_size or channels, or give other data',
  );
}

function places(sizes: readonly number[], usual: 'first' | 'last'): readonly Place[] {
  if (sizes.length === 0) return [];
  return usual === 'last' ? ['last', 'first', 'none'] : ['first', 'last', 'none'];
}

function split(sizes: readonly number[], place: Place): readonly [channels: number, size: readonly number[]] {
  if (place === 'none') return [1, sizes];
  return place === 'last' ? [sizes.at(-1)!, sizes.slice(0, -1)] : [sizes[0]!, sizes.slice(1)];
}

/** What a number of the array is for the model. Throws for types that have no meaning as an image. */
function meaningOf({ dtype, origin }: Rows): (stored: number) => number {
  if (dtype === 'U8') return dequantize;
  // as bytes are: 0 is -1, the largest is 1
  if (dtype === 'U16') return (stored) => stored / 32767.5 - 1;
  if (dtype === 'F16' || dtype === 'BF16' || dtype === 'F32' || dtype === 'F64') return (stored) => stored;
  throw fault(
    origin,
    `it is of ${dtype}; images are uint8, uint16, or floating-point numbers in [-1, 1]: convert them`,
  );
}

function spread(
  row: TensorData,
  place: Place,
  channels: number,
  area: number,
  value: (stored: number) => number,
  sample: Float32Array,
): void {
  for (let i = 0; i < sample.length; i++) {
    const at = place === 'last' ? (i % area) * channels + Math.floor(i / area) : i;
    sample[i] = value(Number(row[at]));
  }
}

const COLOURS: Readonly<Record<number, Colours>> = { 1: 'L', 2: 'LA', 3: 'RGB', 4: 'RGBA' };

/** Rows as pictures of any size, where a model of so many channels can take them. */
function pictureOf(
  sizes: readonly number[],
  usual: 'first' | 'last',
  wanted: number,
): ((row: TensorData) => Raster) | null {
  if (wanted !== 1 && wanted !== 3 && wanted !== 4) return null;
  // of another size nothing but the usual place tells channels from rows
  const place =
    sizes.length === 0
      ? undefined
      : ([usual, 'none'] as const).find((one) => {
          const [channels, size] = split(sizes, one);
          return size.length === 2 && COLOURS[channels] !== undefined && !size.includes(0);
        });
  if (place === undefined) return null;
  const [channels, [height, width]] = split(sizes, place);
  const area = height! * width!;
  return (row) => {
    const data = row as Uint8Array;
    const pixels =
      place === 'first' && channels > 1
        ? new Uint8Array(data.length).map((_, i) => data[(i % channels) * area + Math.floor(i / channels)]!)
        : new Uint8Array(data);
    return { width: width!, height: height!, colours: COLOURS[channels]!, data: pixels };
  };
}
