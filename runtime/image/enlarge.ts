// A picture enlarged by a whole factor, so that small samples can be seen: each pixel becomes a square.

import type { Pixels } from './pixels.ts';

export function enlarge({ width, height, channels, data }: Pixels, factor: number): Pixels {
  const [wide, tall] = [width * factor, height * factor];
  const large = new Uint8Array(wide * tall * channels);
  for (let y = 0; y < tall; y++) {
    for (let x = 0; x < wide; x++) {
      const from = (Math.floor(y / factor) * width + Math.floor(x / factor)) * channels;
      for (let c = 0; c < channels; c++) large[(y * wide + x) * channels + c] = data[from + c]!;
    }
  }
  return { width: wide, height: tall, channels, data: large };
}
