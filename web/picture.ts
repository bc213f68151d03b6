// Samples as a canvas takes them.

import { type Pixels, toPixels } from '../runtime/image/pixels.ts';
import type { Tensor } from '../runtime/tensor.ts';
import type { Picture } from './messages.ts';

/**
 * A sample, [C, ...space] near [-1, 1]: curves of one dimension, slices of three side by side, as `unetc sample` writes
 * them.
 */
export function pictureOf(sample: Tensor): Picture {
  const { width, height, channels, data } = toPixels(sample);
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) rgba[pixel * 4 + c] = data[pixel * channels + Math.min(c, channels - 1)]!;
  }
  return { width, height, data: rgba };
}

/** The colours of a picture. */
export function toColours({ width, height, data }: Picture): Pixels {
  const rgb = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++)
    rgb.set(data.subarray(pixel * 4, pixel * 4 + 3), pixel * 3);
  return { width, height, channels: 3, data: rgb };
}
