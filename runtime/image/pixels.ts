// Samples as 8-bit pixels. A model's output in [-1, 1] is rounded as the original's sampling script does:
// ((x + 1) · 127.5), clamped to [0, 255], cut to a whole number. Each step is in float32, as there.

import type { Tensor } from '../tensor.ts';

/** Rows of pixels, `channels` bytes each: 1 is grey, 3 is red, green, blue. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** One value of a sample as a byte; what is no number is black. */
export function quantize(x: number): number {
  const scaled = Math.fround(Math.fround(x + 1) * 127.5);
  return Number.isNaN(scaled) ? 0 : Math.trunc(Math.min(255, Math.max(0, scaled)));
}

/** A byte as the model takes it: 0 is -1, 255 is 1 (the original's data loader). */
export function dequantize(byte: number): number {
  return Math.fround(Math.fround(byte / 127.5) - 1);
}

/**
 * A sample [C, …space], without its batch axis, as a picture. Two dimensions are the picture itself: 1 channel is
 * grey, 3 are colour, other counts stand side by side in grey. One dimension is plotted, a row of curves, one for
 * each channel. Three dimensions are slices of depth, side by side.
 */
export function toPixels({ shape, data }: Tensor): Pixels {
  const [channels, ...space] = shape;
  if (channels === undefined || space.length < 1 || space.length > 3) {
    throw new Error(`internal: a sample of shape [${shape.join(', ')}] is no picture`);
  }
  if (space.length === 1) return plot(data, channels, space[0]!);
  const [depth, height, width] = space.length === 3 ? space : [1, ...space];
  const colour = channels === 3;
  const planes = colour ? depth! : channels * depth!;
  return sideBySide(planes, width!, height!, colour ? 3 : 1, (plane, pixel, channel) => {
    const area = width! * height!;
    return quantize(data[(colour ? channel * depth! + plane : plane) * area + pixel]!);
  });
}

/** Planes from left to right, one column of grey between them. */
function sideBySide(
  planes: number,
  width: number,
  height: number,
  channels: 1 | 3,
  value: (plane: number, pixel: number, channel: number) => number,
): Pixels {
  const total = planes * (width + 1) - 1;
  const data = new Uint8Array(total * height * channels).fill(128);
  for (let plane = 0; plane < planes; plane++) {
    for (let pixel = 0; pixel < width * height; pixel++) {
      const x = plane * (width + 1) + (pixel % width);
      const at = (Math.floor(pixel / width) * total + x) * channels;
      for (let channel = 0; channel < channels; channel++) data[at + channel] = value(plane, pixel, channel);
    }
  }
  return { width: total, height, channels, data };
}

const PLOT_HEIGHT = 64;

/** Curves from left to right and from -1 (bottom) to 1 (top), one below the other; zero is a grey line. */
function plot(data: Float32Array, curves: number, length: number): Pixels {
  const step = Math.max(1, Math.ceil(256 / length));
  const width = length * step;
  const pixels = new Uint8Array(width * PLOT_HEIGHT * curves).fill(255);
  const row = (x: number) => PLOT_HEIGHT - 1 - Math.round((quantize(x) / 255) * (PLOT_HEIGHT - 1));
  for (let curve = 0; curve < curves; curve++) {
    const base = curve * PLOT_HEIGHT * width;
    pixels.fill(208, base + row(0) * width, base + (row(0) + 1) * width);
    for (let i = 0; i < length; i++) {
      const here = row(data[curve * length + i]!);
      const before = i === 0 ? here : row(data[curve * length + i - 1]!);
      for (let y = Math.min(here, before); y <= Math.max(here, before); y++)
        pixels[base + y * width + i * step] = 0;
      for (let x = 0; x < step; x++) pixels[base + here * width + i * step + x] = 0;
    }
  }
  return { width, height: PLOT_HEIGHT * curves, channels: 1, data: pixels };
}

/** A picture as a model's input [C, H, W] in [-1, 1], or null where a coloured one is asked for in one channel. */
export function fromPixels({ width, height, channels, data }: Pixels, wanted: 1 | 3): Tensor | null {
  const area = width * height;
  const values = new Float32Array(wanted * area);
  for (let pixel = 0; pixel < area; pixel++) {
    const at = pixel * channels;
    if (wanted < channels && (data[at] !== data[at + 1] || data[at] !== data[at + 2])) return null;
    for (let c = 0; c < wanted; c++)
      values[c * area + pixel] = dequantize(data[at + Math.min(c, channels - 1)]!);
  }
  return { shape: [wanted, height, width], data: values };
}
