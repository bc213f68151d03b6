// Files of every kind to pixels: what each stored value becomes, and what is refused by name.

import { writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeFile, decodePicture, withBackground } from '../../../engine/data/decode.ts';
import { readPictureHeader } from '../../../engine/data/picture-header.ts';
import { planesOf } from '../../../engine/data/raster.ts';
import { render } from '../../../engine/data/render.ts';
import { type PngKind, pngFile } from '../../fixtures/png-file.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const origin = { kind: 'input', label: 'p' } as const;
const decode = (bytes: Uint8Array) => decodePicture(bytes, origin);
const at = temporaryFolder();

describe('PNG', () => {
  const size = { width: 11, height: 9 } as const;
  const kinds: readonly (PngKind & { readonly name: string })[] = (
    [
      [0, 1],
      [0, 2],
      [0, 4],
      [0, 8],
      [0, 16],
      [2, 8],
      [2, 16],
      [4, 8],
      [4, 16],
      [6, 8],
      [6, 16],
    ] as const
  ).flatMap(([type, bits]) =>
    [false, true].map((interlaced) => ({
      ...size,
      type,
      bits,
      interlaced,
      name: `type ${type}, ${bits} bits${interlaced ? ', interlaced' : ''}`,
    })),
  );

  test.each(kinds)('$name: every value by its upper byte', async (kind) => {
    const most = 2 ** kind.bits - 1;
    const value = (x: number, y: number, c: number) =>
      (x * 7919 + y * 104729 + c * 31 + x * x * y) % (most + 1);
    const { raster, header } = await decode(pngFile(kind, value));
    expect(header).toMatchObject({ format: 'png', width: 11, height: 9, bits: kind.bits });
    const bands = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 }[kind.type];
    const wanted = Array.from({ length: 99 * bands }, (_, i) => {
      const pixel = Math.floor(i / bands);
      const stored = value(pixel % 11, Math.floor(pixel / 11), i % bands);
      return kind.bits === 16 ? stored >> 8 : (stored * 255) / most;
    });
    expect([...raster.data]).toEqual(wanted);
  });

  test.each([1, 2, 4, 8] as const)('a palette of %i bits becomes its colours', async (bits) => {
    const palette = Array.from({ length: 3 * 2 ** bits }, (_, i) => (i * 37) % 256);
    const index = (x: number, y: number) => (x + 3 * y) % 2 ** bits;
    const { raster } = await decode(pngFile({ ...size, type: 3, bits, palette }, index));
    expect(raster.colours).toBe('RGB');
    const wanted = Array.from({ length: 297 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return palette[index(pixel % 11, Math.floor(pixel / 11)) * 3 + (i % 3)];
    });
    expect([...raster.data]).toEqual(wanted);
  });

  test('a transparent entry or colour keeps its colour, unless a background is given', async () => {
    const palette = [10, 20, 30, 200, 100, 50];
    const file = { width: 2, height: 1, type: 3, bits: 8, palette, transparent: [0] } as const;
    const decoded = await decode(pngFile(file, (x) => x));
    expect([...withBackground(decoded, null, 3).data]).toEqual([10, 20, 30, 200, 100, 50]);
    expect([...withBackground(decoded, [255, 255, 255], 3).data]).toEqual([255, 255, 255, 200, 100, 50]);
    const grey = await decode(
      pngFile({ width: 2, height: 1, type: 0, bits: 8, transparent: [0, 7] }, (x) => (x === 0 ? 7 : 9)),
    );
    expect(withBackground(grey, null, 1)).toMatchObject({ colours: 'L', data: Uint8Array.of(7, 9) });
    expect([...planesOf(withBackground(grey, [100, 100, 100], 1), 1)]).toEqual([100, 9]);
  });

  test('alpha goes over a background, and is dropped without one', async () => {
    const file = { width: 3, height: 1, type: 6, bits: 8 } as const;
    const decoded = await decode(pngFile(file, (x, _, c) => (c === 3 ? [0, 128, 255][x]! : 100 + c)));
    expect([...withBackground(decoded, [0, 0, 200], 3).data]).toEqual([
      0, 0, 200, 50, 51, 151, 100, 101, 102,
    ]);
    expect([...planesOf(withBackground(decoded, null, 3), 3)]).toEqual([
      100, 100, 100, 101, 101, 101, 102, 102, 102,
    ]);
    // a model of four channels takes it as it is
    expect([...planesOf(withBackground(decoded, null, 4), 4)].slice(9)).toEqual([0, 128, 255]);
  });

  test('a profile is left alone', async () => {
    const value = (x: number, y: number, c: number) => (x * 20 + y * 3 + c) % 256;
    const file = { ...size, type: 2, bits: 8 } as const;
    const gamma = new Uint8Array([0, 0, 0x27, 0x10]);
    const plain = await decode(pngFile(file, value));
    const profiled = await sharp(pngFile({ ...file, chunks: [['gAMA', gamma]] }, value))
      .withIccProfile('p3')
      .png()
      .toBuffer();
    const stored = await sharp(profiled, { ignoreIcc: true }).raw().toBuffer();
    const { raster } = await decode(new Uint8Array(profiled));
    expect([...raster.data]).toEqual([...stored]);
    expect([...(await decode(pngFile({ ...file, chunks: [['gAMA', gamma]] }, value))).raster.data]).toEqual([
      ...plain.raster.data,
    ]);
  });
});

/** Image.new('CMYK', (8, 8)) with a pattern, saved as JPEG by Pillow 9.4. */
const PILLOW_CMYK =
  '/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggLCAkKCgoK' +
  'CgYICwwLCgwJCgoK/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIB' +
  'AwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZH' +
  'SElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV' +
  '1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD1j/g4j/5jv/bT+tesf8REf/U8/wDkz/8AXr9B/wDgp/8A' +
  '8FP/APhi/wDtH/iofsn2Tf8A8tduMV+jn7SX7SX/AB8f6f6/xV//2Q==';
const PILLOW_CMYK_ROW = [
  0, 0, 0, 0, 30, 0, 1, 8, 60, 0, 0, 16, 91, 0, 0, 24, 119, 0, 1, 32, 150, 0, 0, 40, 180, 0, 0, 48, 210, 0, 0,
  56,
];

describe('JPEG', () => {
  const picture = () =>
    sharp(Buffer.from(Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * 7) % 256)), {
      raw: { width: 40, height: 30, channels: 3 },
    });

  test('orientation is left alone, as the original leaves it', async () => {
    const turned = await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { header, raster } = await decode(new Uint8Array(turned));
    expect(header).toMatchObject({ format: 'jpeg', width: 40, height: 30, colours: 'rgb' });
    expect(raster).toMatchObject({ width: 40, height: 30 });
  });

  test('progressive and grey files are read', async () => {
    const progressive = await picture().jpeg({ progressive: true }).toBuffer();
    expect((await decode(new Uint8Array(progressive))).raster).toMatchObject({ colours: 'RGB', width: 40 });
    const grey = await picture().toColourspace('b-w').jpeg().toBuffer();
    const decoded = await decode(new Uint8Array(grey));
    expect(decoded.header.colours).toBe('grey');
    expect(decoded.raster).toMatchObject({ colours: 'L', width: 40, height: 30 });
  });

  test('four channels are ink, as Pillow has it with and without the marker of Adobe', async () => {
    const file = new Uint8Array(Buffer.from(PILLOW_CMYK, 'base64'));
    const decoded = await decode(file);
    expect(decoded.header).toMatchObject({ colours: 'cmyk' });
    expect(decoded.raster.colours).toBe('CMYK');
    // the first row of Image.open(…).tobytes()
    expect([...decoded.raster.data.subarray(0, 32)]).toEqual(PILLOW_CMYK_ROW);
    // the marker stands behind the first two bytes
    expect([...file.subarray(2, 4)]).toEqual([0xff, 0xee]);
    const bare = Uint8Array.from([...file.subarray(0, 2), ...file.subarray(18)]);
    expect([...(await decode(bare)).raster.data]).toEqual([...decoded.raster.data]);
  });

  test('ink becomes colour as in Pillow', () => {
    const data = Uint8Array.of(0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255);
    const planes = planesOf({ width: 3, height: 1, colours: 'CMYK', data }, 3);
    expect([...planes]).toEqual([255, 0, 0, 255, 255, 0, 255, 255, 0]);
  });

  test('a file that is cut short is bad, and its reason says what to do', async () => {
    const file = new Uint8Array(await picture().jpeg().toBuffer());
    writeFileSync(at('a.jpg'), file.subarray(0, file.length / 2));
    await expect(decodeFile(at('a.jpg'))).rejects.toThrow(
      /a\.jpg: it cannot be decoded \(.*\); save it again/,
    );
  });
});

test('the first picture of a GIF counts', async () => {
  const frames = Buffer.from(Array.from({ length: 8 * 4 * 3 }, (_, i) => (i < 48 ? 255 : 0)));
  const gif = await sharp(frames, { raw: { width: 4, height: 8, channels: 3, pageHeight: 4 } })
    .gif()
    .toBuffer();
  const { header, raster } = await decode(new Uint8Array(gif));
  expect(header).toMatchObject({ format: 'gif', width: 4, height: 4 });
  expect([...new Set(raster.data.slice(0, 9))]).toEqual([255]);
});

describe('what is no picture', () => {
  const png = pngFile({ width: 4, height: 4, type: 0, bits: 8 }, () => 0);
  const changed = (where: number, ...bytes: readonly number[]) => {
    const copy = new Uint8Array(png);
    copy.set(bytes, where);
    return copy;
  };
  test.each([
    ['an empty file', new Uint8Array(0), 'the file is empty'],
    ['a text', new TextEncoder().encode('hello, this is no picture'), 'this is no PNG, JPEG or GIF'],
    ['a WebP', new TextEncoder().encode('RIFF1234WEBPVP8 '), 'but a WebP; convert it'],
    ['a PNG of no size', changed(16, 0, 0, 0, 0), 'it claims to be 0x4'],
    ['a bomb', changed(16, 0, 1, 0, 0, 0, 1, 0, 0), '65536x65536, and at most 100 million pixels are read'],
    ['a PNG of an unknown type', changed(25, 5), 'colour type 5 with 8 bits'],
    ['a PNG without data', png.subarray(0, 40), 'cannot be decoded'],
    ['a cut header', png.subarray(0, 20), 'does not begin with its header'],
    ['a JPEG without a frame', Uint8Array.of(0xff, 0xd8, 0xff, 0xd9), 'no frame before its data'],
    ['a JPEG that ends', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 16), 'the JPEG ends before its size'],
    [
      'a JPEG of two channels',
      Uint8Array.of(0xff, 0xd8, 0xff, 0xc0, 0, 14, 8, 0, 4, 0, 4, 2, 0, 0),
      'has 2 channels',
    ],
    ['a short GIF', new TextEncoder().encode('GIF89a'), 'the GIF ends in its header'],
  ])('%s', async (_, bytes, reason) => {
    await expect(decode(bytes)).rejects.toThrow(reason);
    writeFileSync(at('x.png'), bytes);
    const view = { channels: 3, height: 8, width: 8, crop: { kind: 'centre' }, mirrored: false } as const;
    const rendered = await render({ source: { kind: 'file', file: at('x.png') }, view, background: null });
    expect(rendered).toEqual({ kind: 'bad', reason: expect.stringContaining(reason) });
    // the list has the file's name already
    expect(rendered.kind === 'bad' && rendered.reason).not.toContain('x.png');
  });

  test('a thin picture costs no more than what is seen of it', async () => {
    const thin = pngFile({ width: 20_000, height: 1, type: 0, bits: 8 }, (x) => x % 256);
    expect(readPictureHeader(thin, origin)).toMatchObject({ width: 20_000, height: 1 });
    writeFileSync(at('thin.png'), thin);
    const view = { channels: 1, height: 64, width: 64, crop: { kind: 'centre' }, mirrored: false } as const;
    const rendered = await render({ source: { kind: 'file', file: at('thin.png') }, view, background: null });
    expect(rendered).toMatchObject({ kind: 'planes', planes: expect.objectContaining({ length: 4096 }) });
  });
});
