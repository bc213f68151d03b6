// Pixels to PNG and back; the format itself is pngjs's.

import { inflateSync } from 'node:zlib';
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

/** How large a picture says it is. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** The size in the header of a PNG file, before anything is unpacked. Throws a RuntimeError of `origin.kind`. */
export function sizeOfPng(bytes: Uint8Array, origin: Origin): PictureSize {
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  if (bytes.length < 33 || signature.some((byte, i) => bytes[i] !== byte)) {
    throw fault(origin, 'this is no PNG; convert it to PNG');
  }
  const [width, height] = [dataView(bytes).getUint32(16), dataView(bytes).getUint32(20)];
  if (width === 0 || height === 0)
    throw fault(origin, `the PNG is damaged (its header says ${width} x ${height} pixels); save it again`);
  if (width * height > MAX_PIXELS)
    throw fault(origin, `the picture has ${width * height} pixels; at most ${MAX_PIXELS} are read`);
  return { width, height };
}

/** The pixels of a PNG file; grey where every pixel is. Throws a RuntimeError of `origin.kind`. */
export function decodePng(bytes: Uint8Array, origin: Origin): Pixels {
  checkData(bytes, sizeOfPng(bytes, origin), origin);
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

/** Data beyond the picture's that is let pass: some encoders fill up. */
const SLACK = 4096;

/**
 * Whether the data unpacks to as much as the picture takes: no less, which would be filled up in silence, and no more,
 * whatever the data could come to.
 */
function checkData(bytes: Uint8Array, { width, height }: PictureSize, origin: Origin): void {
  const [depth, type, interlaced] = [bytes[24]!, bytes[25]!, bytes[28] === 1];
  const channels = ({ 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as Readonly<Record<number, number>>)[type] ?? 0;
  const rows = (w: number, h: number) => (w === 0 ? 0 : h * (1 + Math.ceil((w * channels * depth) / 8)));
  const expected = (interlaced ? ADAM7 : [[0, 0, 1, 1] as const]).reduce(
    (sum, [x, y, dx, dy]) => sum + rows(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)),
    0,
  );
  const packed: Uint8Array[] = [];
  const view = dataView(bytes);
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (kind === 'IEND') break;
    if (kind === 'IDAT') packed.push(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
  }
  let found: number;
  try {
    found = inflateSync(Buffer.concat(packed), { maxOutputLength: expected + SLACK }).length;
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
        ? `its data comes to more than the ${expected} bytes of its ${width} x ${height} pixels`
        : `its data does not unpack: ${error instanceof Error ? error.message : error}`;
    throw fault(origin, `the PNG is damaged (${reason}); save it again`, error);
  }
  if (found < expected) {
    throw fault(
      origin,
      `the PNG is damaged (its data has ${found} of the ${expected} bytes of its ${width} x ${height} pixels); save it again`,
    );
  }
}

/** First column and row, and steps, of the seven passes of an interlaced picture. Source: PNG specification, 8.2. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

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
