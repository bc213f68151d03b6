// Between row-major tensors [batch, channels, ...space] and channels-last storage with channels in quads.

import type { Tensor } from './tensor.ts';
import { elements } from './tensor.ts';

/** Row-major to [batch][pixel][channel], written to `take`: channels are filled up to a multiple of four with zeros. */
export function toChannelsLast(
  { shape, data }: Tensor,
  take = (count: number) => new Float32Array(count),
): Float32Array<ArrayBuffer> {
  const [batch = 1, channels = 1, ...space] = shape;
  const pixels = elements(space);
  const stored = Math.ceil(channels / 4) * 4;
  const out = take(batch * pixels * stored);
  if (stored > channels) out.fill(0);
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < channels; c++) {
      const from = (b * channels + c) * pixels;
      for (let p = 0; p < pixels; p++) out[(b * pixels + p) * stored + c] = data[from + p]!;
    }
  }
  return out;
}

/** The inverse, written to `data`: channels that only fill a quad are dropped. */
export function fromChannelsLast(
  stored: Float32Array,
  shape: readonly number[],
  data = new Float32Array(elements(shape)),
): Tensor {
  const [batch = 1, channels = 1, ...space] = shape;
  const pixels = elements(space);
  const row = Math.ceil(channels / 4) * 4;
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < channels; c++) {
      const to = (b * channels + c) * pixels;
      for (let p = 0; p < pixels; p++) data[to + p] = stored[(b * pixels + p) * row + c]!;
    }
  }
  return { shape, data };
}
