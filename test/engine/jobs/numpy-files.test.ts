// NumPy's array files as they are read: what numpy.save, savez and savez_compressed write, and what is none of these.

import fs from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { naturalOrder } from '../../../engine/jobs/natural-order.ts';
import { readArrays } from '../../../engine/jobs/numpy-files.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();

/** A `.npy` of a version, as numpy.lib.format writes it. */
function npy(header: string, data: ArrayBufferView, version = 1): Uint8Array {
  const start = version === 1 ? 10 : 12;
  const length = Math.ceil((start + header.length + 1) / 64) * 64 - start;
  const text = new TextEncoder().encode(`${header.padEnd(length - 1)}\n`);
  const sizes = version === 1 ? [length & 255, length >> 8] : [length & 255, length >> 8, 0, 0];
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...sizes];
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Uint8Array.from([...magic, ...text, ...bytes]);
}

const head = (descr: string, shape: string, order = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

const images = npy(head('|u1', '(2, 1, 3)'), Uint8Array.of(1, 2, 3, 4, 5, 6));
const labels = npy(head('<i8', '(2,)'), BigInt64Array.of(7n, 9n));

function read(content: Uint8Array, name = 'a.npz') {
  fs.writeFileSync(at(name), content);
  return readArrays({ kind: 'input', label: at(name) }, ['arr_0', 'arr_1']);
}

describe('arrays', () => {
  test.each([0, 6] as const)('of an archive that is packed at level %i', (level) => {
    const arrays = read(zipSync({ 'arr_0.npy': images, 'arr_1.npy': labels, 'more.npy': labels }, { level }));
    expect([...arrays.keys()]).toEqual(['arr_0', 'arr_1']);
    expect(arrays.get('arr_0')).toMatchObject({ dtype: 'U8', shape: [2, 1, 3] });
    expect([...arrays.get('arr_0')!.bytes]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(arrays.get('arr_1')).toMatchObject({ dtype: 'I64', shape: [2] });
  });

  test('of a .npy, by either version of its header', () => {
    expect(read(images, 'a.npy').get('arr_0')!.shape).toEqual([2, 1, 3]);
    const wide = npy(head('<f4', '(3,)'), Float32Array.of(1, 2, 3), 2);
    expect(read(wide, 'a.npy').get('arr_0')).toMatchObject({ dtype: 'F32', shape: [3] });
  });

  test('of either order of bytes', () => {
    const swapped = zipSync({ 'arr_0.npy': npy(head('>u2', '(2,)'), Uint8Array.of(1, 2, 3, 4)) });
    expect([...read(swapped).get('arr_0')!.bytes]).toEqual([2, 1, 4, 3]);
  });

  test.each<[string, Uint8Array, string]>([
    ['other names', zipSync({ 'x.npy': images }), 'there is no array arr_0 in this archive, only "x.npy"'],
    [
      'an array of objects',
      zipSync({ 'arr_0.npy': npy(head('|O', '(2,)'), labels) }),
      "of type '|O' are not read",
    ],
    [
      "Fortran's order",
      zipSync({ 'arr_0.npy': npy(head('|u1', '(2, 3)', 'True'), Uint8Array.of(1, 2, 3, 4, 5, 6)) }),
      'ascontiguousarray',
    ],
    ['too few bytes', zipSync({ 'arr_0.npy': images.slice(0, -1) }), 'takes 6 bytes, and it has 5'],
    [
      'a huge shape',
      zipSync({ 'arr_0.npy': npy(head('|u1', '(99999999999, 99999999999)'), Uint8Array.of(1)) }),
      'save it again',
    ],
    ['a header that is cut off', zipSync({ 'arr_0.npy': images.slice(0, 20) }), 'its header is cut off'],
    ['no header', zipSync({ 'arr_0.npy': Uint8Array.of(1, 2, 3) }), 'this is no array of NumPy'],
    ['no archive', Uint8Array.of(1, 2, 3), 'a.npz'],
  ])('%s are refused', (_, content, message) => {
    expect(() => read(content)).toThrow(message);
    expect(() => read(content)).toThrow(expect.objectContaining({ kind: 'input' }));
  });
});

test('names are in the order in which people count', () => {
  const names = [
    '10',
    '2',
    '1',
    'b',
    'a10',
    'a9',
    'a09',
    '1a',
    '99999999999999999999',
    '100000000000000000000',
  ];
  expect(names.toSorted(naturalOrder)).toEqual([
    ...['1', '1a', '2', '10', '99999999999999999999', '100000000000000000000'],
    ...['a09', 'a9', 'a10', 'b'],
  ]);
});
