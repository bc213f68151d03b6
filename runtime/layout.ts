// Between row-major tensors [batch, channels, ...space] and channels-last storage with channels in quads.

import type { Tensor } from './tensor.ts';
import { elements } from './tensor.ts';

/** Row-major to [batch][pixel][channel], channels filled up to a multiple of four with zeros. */
export function toChannelsLast({ shape, data }: Tensor): Float32Array<ArrayBuffer> {
  const [batch = 1, channels = 1, ...space] = shape;
  const pixels = elements(space);
  const stored = Math.ceil(channels / 4) * 4;
  const out = new Float32Array(batch * pixels * stored);
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < channels; c++) {
      const from = (b * channels + c) * pixels;
      for (let p = 0; p < pixels; p++) out[(b * pixels + p) * stored + c] = data[from + p]!;
    }
  }
  return out;
}

/** The inverse: channels that only fill a quad are dropped. */
export function fromChannelsLast(stored: Float32Array, shape: readonly number[]): Tensor {
  const [batch = 1, channels = 1, ...space] = shape;
  const pixels = elements(space);
  const row = Math.ceil(channels / 4) * 4;
  const data = new Float32Array(elements(shape));
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < channels; c++) {
      const to = (b * channels + c) * pixels;
      for (let p = 0; p < pixels; p++) data[to + p] = stored[(b * pixels + p) * row + c]!;
    }
  }
  return { shape, data };
}
