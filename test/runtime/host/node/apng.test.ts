import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { encodeApng } from '../../../../runtime/host/node/apng.ts';
import { decodePng } from '../../../../runtime/host/node/png.ts';
import type { Pixels } from '../../../../runtime/image/pixels.ts';
import { strip } from '../../../../runtime/image/strip.ts';
import { crc32 } from '../../../../runtime/weights/crc32.ts';

const picture = (value: number): Pixels => ({
  width: 3,
  height: 2,
  channels: 1,
  data: new Uint8Array(6).map((_, i) => value + i),
});

/** Type and data of each chunk, with its checksum looked at. */
function chunks(file: Uint8Array): { type: string; data: Buffer }[] {
  const bytes = Buffer.from(file);
  const list: { type: string; data: Buffer }[] = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const body = bytes.subarray(at + 4, at + 8 + length);
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    list.push({ type: body.toString('latin1', 0, 4), data: body.subarray(4) });
    at += 12 + length;
  }
  return list;
}

test('an animation has each frame once, in order, for its time', () => {
  const found = chunks(encodeApng([picture(10), picture(20), picture(30)], { frame: 80, last: 900 }));
  const types = found.map(({ type }) => type).join(' ');
  expect(types).toBe('IHDR acTL IDAT fcTL fdAT fcTL fdAT fcTL fdAT IEND');
  const of = (wanted: string) => found.filter(({ type }) => type === wanted).map(({ data }) => data);
  expect(of('acTL')[0]!.readUInt32BE(0)).toBe(3);
  const sequence = found.flatMap(({ type, data }) => (/^f[cd]/.test(type) ? [data.readUInt32BE(0)] : []));
  expect(sequence).toEqual([0, 1, 2, 3, 4, 5]);
  expect(of('fcTL').map((data) => data.readUInt16BE(20))).toEqual([80, 80, 900]);
  // filter bytes lead the rows; the filters of so small a picture leave its first pixel as it is
  expect(of('fdAT').map((data) => inflateSync(data.subarray(4))[1])).toEqual([10, 20, 30]);
});

test('a reader that knows no animations sees the last frame', () => {
  const file = encodeApng([picture(10), picture(20)], { frame: 80, last: 900 });
  expect(decodePng(file, { kind: 'input', label: 'it' })).toEqual(picture(20));
});

test('a strip has its pictures side by side', () => {
  const { width, height, data } = strip([picture(10), picture(20)]);
  expect([width, height]).toEqual([8, 2]);
  expect([...data]).toEqual([10, 11, 12, 32, 32, 20, 21, 22, 13, 14, 15, 32, 32, 23, 24, 25]);
});
