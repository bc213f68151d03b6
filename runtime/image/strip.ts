// Pictures side by side, a dark line between them.

import type { Pixels } from './pixels.ts';

const GAP = 2;
const DARK = 32;

/** Pictures must agree in size and channels. */
export function strip(pictures: readonly Pixels[]): Pixels {
  const [first] = pictures;
  if (first === undefined) throw new Error('internal: a strip has at least one picture');
  const { width, height, channels } = first;
  const total = pictures.length * (width + GAP) - GAP;
  const data = new Uint8Array(total * height * channels).fill(DARK);
  const row = width * channels;
  for (const [i, picture] of pictures.entries()) {
    for (let y = 0; y < height; y++) {
      data.set(picture.data.subarray(y * row, (y + 1) * row), (y * total + i * (width + GAP)) * channels);
    }
  }
  return { width: total, height, channels, data };
}
