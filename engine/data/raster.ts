// Pixels of a picture as a file holds them, and what colours become on their way to a model: grey, three channels, or
// three with alpha. All arithmetic is Pillow's, in whole numbers, so that results are equal to the last bit.
// Source: Pillow 9.4, libImaging/Convert.c (rgb2l, cmyk2rgb, rgbA2rgba, rgba2rgbA) and ImagingUtils.h (MULDIV255).

/** What the bands of a pixel mean; `premultiplied` ones are on their way through a filter. */
export type Colours = 'L' | 'LA' | 'RGB' | 'RGBA' | 'CMYK';

export const BANDS = { L: 1, LA: 2, RGB: 3, RGBA: 4, CMYK: 4 } as const satisfies Record<Colours, number>;

/** Rows of pixels, the bands of a pixel side by side, 8 bits each. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly colours: Colours;
  readonly data: Uint8Array;
}

/** Red, green, blue, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** a · b / 255, rounded, for a and b from 0 to 255. */
function scaled(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

export function hasAlpha(colours: Colours): colours is 'LA' | 'RGBA' {
  return colours === 'LA' || colours === 'RGBA';
}

/** Colours times their alpha, as a filter needs them: what is transparent must not bleed into its neighbours. */
export function premultiplied(raster: Raster): Raster {
  return mapAlpha(raster, (value, alpha) => scaled(value, alpha));
}

/** The way back. Where nothing can be seen, the colour stays zero. */
export function unpremultiplied(raster: Raster): Raster {
  return mapAlpha(raster, (value, alpha) =>
    alpha === 0 || alpha === 255 ? value : Math.min(255, Math.trunc((255 * value) / alpha)),
  );
}

function mapAlpha(raster: Raster, change: (value: number, alpha: number) => number): Raster {
  const bands = BANDS[raster.colours];
  const data = new Uint8Array(raster.data);
  for (let at = 0; at < data.length; at += bands) {
    const alpha = data[at + bands - 1]!;
    for (let band = 0; band < bands - 1; band++) data[at + band] = change(data[at + band]!, alpha);
  }
  return { ...raster, data };
}

/** A picture with alpha over a colour. */
export function over({ width, height, colours, data }: Raster, background: Rgb): Raster {
  const bands = BANDS[colours];
  const result = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const alpha = data[pixel * bands + bands - 1]!;
    for (let band = 0; band < 3; band++) {
      const value = data[pixel * bands + (bands === 2 ? 0 : band)]!;
      const sum = value * alpha + background[band]! * (255 - alpha) + 128;
      result[pixel * 3 + band] = ((sum >> 8) + sum) >> 8;
    }
  }
  return { width, height, colours: 'RGB', data: result };
}

/** Whether a pixel lets the background through. */
export function isTransparent({ colours, data }: Raster): boolean {
  if (!hasAlpha(colours)) return false;
  const bands = BANDS[colours];
  for (let at = bands - 1; at < data.length; at += bands) if (data[at] !== 255) return true;
  return false;
}

/** The picture without its alpha, as the original takes it: the colours stay as they are stored. */
export function withoutAlpha(raster: Raster): Raster {
  const { colours } = raster;
  if (!hasAlpha(colours)) return raster;
  const kept = colours === 'LA' ? 'L' : 'RGB';
  const bands = BANDS[colours];
  const count = BANDS[kept];
  const data = new Uint8Array(raster.width * raster.height * count);
  for (let at = 0; at < data.length; at++) {
    data[at] = raster.data[Math.floor(at / count) * bands + (at % count)]!;
  }
  return { ...raster, colours: kept, data };
}

/**
 * The planes that a model of so many channels takes: [channels, height, width]. One channel is the luma of ITU-R 601-2,
 * three are red, green, blue, four have alpha behind them.
 */
export function planesOf({ width, height, colours, data }: Raster, channels: 1 | 3 | 4): Uint8Array {
  const area = width * height;
  const bands = BANDS[colours];
  const planes = new Uint8Array(channels * area);
  const grey = colours === 'L' || colours === 'LA';
  for (let pixel = 0; pixel < area; pixel++) {
    const at = pixel * bands;
    let [red, green, blue] = grey
      ? [data[at]!, data[at]!, data[at]!]
      : [data[at]!, data[at + 1]!, data[at + 2]!];
    if (colours === 'CMYK') {
      const light = 255 - data[at + 3]!;
      red = Math.max(0, light - scaled(red, light));
      green = Math.max(0, light - scaled(green, light));
      blue = Math.max(0, light - scaled(blue, light));
    }
    if (channels === 1) {
      planes[pixel] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
      continue;
    }
    planes[pixel] = red;
    planes[area + pixel] = green;
    planes[2 * area + pixel] = blue;
    if (channels === 4) planes[3 * area + pixel] = hasAlpha(colours) ? data[at + bands - 1]! : 255;
  }
  return planes;
}
