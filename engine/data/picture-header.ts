// What a picture is, by its first bytes and before anything is unpacked: format, size, and what its channels mean.
// Sources: PNG (W3C, third edition) sections 5 and 11; JPEG (ITU-T T.81) annex B; GIF89a.

import { dataView, fault, type Origin } from '../../runtime/bytes.ts';

export type PictureFormat = 'png' | 'jpeg' | 'gif';

/** What the stored channels mean. `palette` is unpacked to colours. */
export type StoredColours = 'grey' | 'grey_alpha' | 'rgb' | 'rgb_alpha' | 'palette' | 'cmyk';

export interface PictureHeader {
  readonly format: PictureFormat;
  readonly width: number;
  readonly height: number;
  readonly colours: StoredColours;
  /** Bits a channel, or of an index into the palette. */
  readonly bits: number;
}

/** Pictures larger than this are refused before they are unpacked. */
export const MOST_PIXELS = 100_000_000;

/** Throws a RuntimeError of `origin.kind` for what is no picture, damaged, or too large. */
export function readPictureHeader(bytes: Uint8Array, origin: Origin): PictureHeader {
  const header = parse(bytes, origin);
  const { width, height } = header;
  if (width === 0 || height === 0) {
    throw fault(origin, `it claims to be ${width}x${height}; the file is damaged: save it again`);
  }
  if (width * height > MOST_PIXELS) {
    throw fault(
      origin,
      `it is ${width}x${height}, and at most ${MOST_PIXELS / 1e6} million pixels are read; make it smaller`,
    );
  }
  return header;
}

function parse(bytes: Uint8Array, origin: Origin): PictureHeader {
  if (begins(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return pngHeader(bytes, origin);
  if (begins(bytes, [0xff, 0xd8, 0xff])) return jpegHeader(bytes, origin);
  if (begins(bytes, [0x47, 0x49, 0x46, 0x38])) return gifHeader(bytes, origin);
  if (bytes.length === 0) throw fault(origin, 'the file is empty; save it again or remove it');
  throw fault(origin, `this is no PNG, JPEG or GIF${guess(bytes)}; convert it to one of them`);
}

function begins(bytes: Uint8Array, signature: readonly number[], at = 0): boolean {
  return signature.every((byte, i) => bytes[at + i] === byte);
}

/** Other formats that files are given the names of pictures of. */
function guess(bytes: Uint8Array): string {
  if (begins(bytes, [0x52, 0x49, 0x46, 0x46]) && begins(bytes, [0x57, 0x45, 0x42, 0x50], 8))
    return ' but a WebP';
  if (begins(bytes, [0x42, 0x4d])) return ' but a BMP';
  if (begins(bytes, [0x49, 0x49, 0x2a, 0]) || begins(bytes, [0x4d, 0x4d, 0, 0x2a])) return ' but a TIFF';
  return begins(bytes, [0x66, 0x74, 0x79, 0x70], 4) ? ' but an AVIF or HEIF' : '';
}

const PNG_COLOURS: Readonly<Record<number, readonly [StoredColours, readonly number[]]>> = {
  0: ['grey', [1, 2, 4, 8, 16]],
  2: ['rgb', [8, 16]],
  3: ['palette', [1, 2, 4, 8]],
  4: ['grey_alpha', [8, 16]],
  6: ['rgb_alpha', [8, 16]],
};

function pngHeader(bytes: Uint8Array, origin: Origin): PictureHeader {
  if (bytes.length < 33 || !begins(bytes, [0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52], 8)) {
    throw fault(origin, 'the PNG does not begin with its header; the file is damaged: save it again');
  }
  const view = dataView(bytes);
  const [bits, type] = [bytes[24]!, bytes[25]!];
  const [colours, depths] = PNG_COLOURS[type] ?? [];
  if (colours === undefined || !depths?.includes(bits)) {
    throw fault(
      origin,
      `the PNG claims colour type ${type} with ${bits} bits, which there is not; the file is damaged: save it again`,
    );
  }
  return {
    format: 'png',
    width: view.getUint32(16),
    height: view.getUint32(20),
    colours,
    bits,
  };
}

/** Markers without a length: TEM, RST0 to RST7, SOI. */
const BARE = new Set([0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8]);
/** Starts of frames, the tables DHT, JPG and DAC not among them. */
const FRAMES = new Set([0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);
const JPEG_COLOURS: Readonly<Record<number, StoredColours>> = { 1: 'grey', 3: 'rgb', 4: 'cmyk' };

function jpegHeader(bytes: Uint8Array, origin: Origin): PictureHeader {
  const cut = () =>
    fault(origin, 'the JPEG ends before its size is told; the file is cut short: save it again');
  const view = dataView(bytes);
  for (let at = 2; ; ) {
    // what stands before a marker is passed over, as libjpeg does
    while (at < bytes.length && bytes[at] !== 0xff) at++;
    while (at < bytes.length && bytes[at] === 0xff) at++;
    const marker = bytes[at++];
    if (marker === undefined) throw cut();
    if (marker === 0 || BARE.has(marker)) continue;
    if (marker === 0xd9 || marker === 0xda) {
      throw fault(origin, 'the JPEG has no frame before its data; the file is damaged: save it again');
    }
    if (at + 2 > bytes.length) throw cut();
    const length = view.getUint16(at);
    if (length < 2)
      throw fault(origin, 'a segment of the JPEG has no length; the file is damaged: save it again');
    if (FRAMES.has(marker)) {
      if (length < 8 || at + 8 > bytes.length) throw cut();
      const colours = JPEG_COLOURS[bytes[at + 7]!];
      if (colours === undefined) {
        throw fault(
          origin,
          `the JPEG has ${bytes[at + 7]} channels, and 1, 3 or 4 are read; convert it to RGB`,
        );
      }
      const [height, width] = [view.getUint16(at + 3), view.getUint16(at + 5)];
      return { format: 'jpeg', width, height, colours, bits: bytes[at + 2]! };
    }
    at += length;
  }
}

function gifHeader(bytes: Uint8Array, origin: Origin): PictureHeader {
  if (bytes.length < 13)
    throw fault(origin, 'the GIF ends in its header; the file is cut short: save it again');
  const view = dataView(bytes);
  const [width, height] = [view.getUint16(6, true), view.getUint16(8, true)];
  return { format: 'gif', width, height, colours: 'palette', bits: 8 };
}
