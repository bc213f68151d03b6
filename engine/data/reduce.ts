// A picture as a model takes it: halved while it is at least twice too large, made to cover the size, cut out of the middle
// or at random, mirrored, in the model's channels.
//
//   while w >= 2W and h >= 2H:  box filter to (⌊w/2⌋, ⌊h/2⌋);   s = max(W/w, H/h);   bicubic to (round(s w), round(s h));   cut
//
// For square sizes these are the original's steps. Source: improved-diffusion, image_datasets.py; the random cut is
// guided-diffusion's random_crop_arr.

import { planesOf, type Raster } from './raster.ts';
import { resize } from './resample.ts';

/** Where the model's view lies in a picture that covers it. */
export type Crop =
  | { readonly kind: 'centre' }
  /**
   * The view is a part of a picture that is larger by up to a quarter: numbers from 0 up to and without 1 choose how
   * large, how far down, how far right.
   */
  | { readonly kind: 'random'; readonly size: number; readonly down: number; readonly right: number };

/** What the model sees of a picture. */
export interface View {
  readonly channels: 1 | 3 | 4;
  readonly height: number;
  readonly width: number;
  readonly crop: Crop;
  readonly mirrored: boolean;
}

/** The least part of a picture's shorter side that a random cut leaves (guided-diffusion's min_crop_frac). */
const LEAST_CROP = 0.8;

/** The planes [channels, height, width] of a picture of any size. */
export function reduce(picture: Raster, view: View): Uint8Array {
  const { height, width, crop } = view;
  const [tall, wide] = covered(view);
  let raster = picture;
  while (raster.width >= 2 * wide && raster.height >= 2 * tall) {
    raster = resize(raster, Math.floor(raster.width / 2), Math.floor(raster.height / 2), 'box');
  }
  const scale = Math.max(wide / raster.width, tall / raster.height);
  const size = {
    width: Math.max(width, roundHalfEven(raster.width * scale)),
    height: Math.max(height, roundHalfEven(raster.height * scale)),
  };
  const place = (room: number, where: number) =>
    crop.kind === 'centre' ? Math.floor(room / 2) : Math.floor(where * (room + 1));
  const cut = resize(raster, size.width, size.height, 'bicubic', {
    left: place(size.width - width, crop.kind === 'random' ? crop.right : 0),
    top: place(size.height - height, crop.kind === 'random' ? crop.down : 0),
    width,
    height,
  });
  const planes = planesOf(cut, view.channels);
  if (view.mirrored) mirror(planes, width);
  return planes;
}

/** What a picture is made to cover: the view, or for a random cut something larger of about its proportions. */
function covered({ height, width, crop }: View): readonly [tall: number, wide: number] {
  if (crop.kind === 'centre') return [height, width];
  const short = Math.min(height, width);
  const choices = Math.ceil(short / LEAST_CROP) - short + 1;
  const chosen = short + Math.floor(crop.size * choices);
  return [Math.ceil((height * chosen) / short), Math.ceil((width * chosen) / short)];
}

/** Python's round: halves go to the even neighbour. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** Turns every row around, in place. */
export function mirror(values: Uint8Array | Float32Array, width: number): void {
  for (let row = 0; row < values.length; row += width) values.subarray(row, row + width).reverse();
}
