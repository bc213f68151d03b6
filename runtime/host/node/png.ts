// Pixels to PNG and back; the format itself is pngjs's.

import { PNG } from 'pngjs';
import { dataView, fault, type Origin } from '../../bytes.ts';
import type { Pixels } from '../../image/pixels.ts';

/** Pictures larger than this are refused before they are unpacked. */
const MAX_PIXELS = 2 ** 26;

/** A PNG file, 8 bits a channel; the same pixels give the same bytes. */
export function encodePng({ width, height, channels, data }: Pixels): Uint8Array {
  const png = new PNG({ width, height });
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++) png.data[pixel * 4 + c] = data[pixel * channels + Math.min(c, channels - 1)]!;
    png.data[pixel * 4 + 3] = 255;
  }
  const colorType = channels === 1 ? 0 : 2;
  return new Uint8Array(
    PNG.sync.write(png, { colorType, bitDepth: 8, inputHasAlpha: true, deflateLevel: 9 }),
  );
}

/** The pixels of a PNG file; grey where every pixel is. Throws a RuntimeError of `origin.kind`. */
export function decodePng(bytes: Uint8Array, origin: Origin): Pixels {
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  if (bytes.length < 33 || signature.some((byte, i) => bytes[i] !== byte)) {
    throw fault(origin, 'this is no PNG; convert it to PNG');
  }
  const pixels = dataView(bytes).getUint32(16) * dataView(bytes).getUint32(20);
  if (pixels > MAX_PIXELS)
    throw fault(origin, `the picture has ${pixels} pixels; at most ${MAX_PIXELS} are read`);
  let png: { readonly width: number; readonly height: number; readonly data: Uint8Array };
  try {
    png = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    throw fault(
      origin,
      `the PNG is damaged (${error instanceof Error ? error.message : error}); save it again`,
      error,
    );
  }
  return fromRgba(png.width, png.height, png.data, origin);
}

function fromRgba(width: number, height: number, rgba: Uint8Array, origin: Origin): Pixels {
  let grey = true;
  for (let at = 0; at < rgba.length; at += 4) {
    if (rgba[at + 3] !== 255)
      throw fault(origin, 'the picture is transparent in places; save it without transparency');
    grey &&= rgba[at] === rgba[at + 1] && rgba[at] === rgba[at + 2];
  }
  const channels = grey ? 1 : 3;
  const data = new Uint8Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < channels; c++) data[pixel * channels + c] = rgba[pixel * 4 + c]!;
  }
  return { width, height, channels, data };
}
