import fc from 'fast-check';
import { PNG } from 'pngjs';
import { describe, expect, test } from 'vitest';
import { decodePng, encodePng } from '../../../../runtime/host/node/png.ts';
import type { Pixels } from '../../../../runtime/image/pixels.ts';
import { faultOf, onlyFaults } from '../../../fixtures/faults.ts';

const ORIGIN = { kind: 'input', label: 'x.png' } as const;

const PIXELS: fc.Arbitrary<Pixels> = fc
  .tuple(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 1, max: 20 }),
    fc.constantFrom(1 as const, 3 as const),
  )
  .chain(([width, height, channels]) => {
    const length = width * height * channels;
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((data) => ({ width, height, channels, data }));
  });

test('what is written is read back', () => {
  fc.assert(
    fc.property(PIXELS, (pixels) => {
      const colour =
        pixels.channels === 3 && pixels.data.some((byte, i) => byte !== pixels.data[i - (i % 3)]);
      const read = decodePng(encodePng(pixels), ORIGIN);
      if (colour || pixels.channels === 1) expect(read).toEqual(pixels);
      else expect(read).toEqual({ ...pixels, channels: 1, data: pixels.data.filter((_, i) => i % 3 === 0) });
    }),
  );
});

test('grey takes one byte a pixel, colour three, neither an alpha', () => {
  const type = (channels: 1 | 3) =>
    encodePng({
      width: 2,
      height: 2,
      channels,
      data: Uint8Array.from({ length: 4 * channels }, (_, i) => i * 9),
    })[25];
  expect([type(1), type(3)]).toEqual([0, 2]);
});

test('the same pixels give the same bytes', () => {
  const pixels: Pixels = {
    width: 9,
    height: 9,
    channels: 1,
    data: Uint8Array.from({ length: 81 }, (_, i) => i),
  };
  expect(encodePng(pixels)).toEqual(encodePng(pixels));
});

describe('pictures of others', () => {
  test('transparency is refused', () => {
    const clear = new PNG({ width: 1, height: 1 });
    expect(faultOf('input', () => decodePng(PNG.sync.write(clear), ORIGIN))).toContain(
      'transparent in places',
    );
  });

  test('16 bits a channel become 8', () => {
    const deep = new PNG({ width: 1, height: 1, bitDepth: 16 });
    const data = Buffer.from(Uint16Array.of(0xffff, 0, 0x8080, 0xffff).buffer);
    Object.assign(deep, { data });
    const bytes = PNG.sync.write(deep, { bitDepth: 16, colorType: 6 });
    expect([...decodePng(bytes, ORIGIN).data]).toEqual([255, 0, 128]);
  });
});

describe('bad files', () => {
  const good = encodePng({
    width: 8,
    height: 8,
    channels: 3,
    data: Uint8Array.from({ length: 192 }, (_, i) => i),
  });

  test('no PNG, and one too large to unpack', () => {
    expect(faultOf('input', () => decodePng(new TextEncoder().encode('JFIF'.repeat(20)), ORIGIN))).toBe(
      'x.png: this is no PNG; convert it to PNG',
    );
    const huge = good.slice();
    huge.set([0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff], 16);
    expect(faultOf('input', () => decodePng(huge, ORIGIN))).toContain('at most 67108864 are read');
  });

  test('cut anywhere, it is refused', () => {
    for (let length = 0; length < good.length - 12; length++) {
      faultOf('input', () => decodePng(good.subarray(0, length), ORIGIN));
    }
  });

  test('with any byte changed, it is read or refused', () => {
    for (let at = 0; at < good.length; at++) {
      const bytes = good.slice();
      bytes[at]! ^= 0xff;
      onlyFaults('input', () => decodePng(bytes, ORIGIN));
    }
  });
});
