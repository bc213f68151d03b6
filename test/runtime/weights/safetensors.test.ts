import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesInMemory } from '../../../runtime/bytes.ts';
import {
  asFloat32,
  readHeader,
  readTensors,
  safetensorsWeights,
} from '../../../runtime/weights/safetensors.ts';
import { safetensorsChunks, writeTensors } from '../../../runtime/weights/safetensors-write.ts';
import { faultOf, onlyFaults } from '../../fixtures/faults.ts';

const ORIGIN = { kind: 'weights', label: 'w.safetensors' } as const;

/** A file of a header as text and `size` bytes of data. */
function file(header: string, size = 0): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function entry(name: string, dtype: string, shape: readonly number[], begin: number, end: number): string {
  return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`;
}

const SMALL = writeTensors(
  new Map([
    ['bias', { shape: [3], data: Float32Array.of(1, -2, 0.5) }],
    ['labels', { shape: [2], data: BigInt64Array.of(7n, -1n) }],
    ['empty', { shape: [0, 4], data: new Float32Array(0) }],
    ['__proto__', { shape: [], data: Uint8Array.of(9) }],
  ]),
  { format: 'pt' },
);

describe('writing', () => {
  test('the bytes are these', () => {
    const bytes = writeTensors(new Map([['x', { shape: [1], data: Float32Array.of(1) }]]));
    const header = '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  ';
    expect(bytes).toEqual(
      Uint8Array.of(56, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(header), 0, 0, 0x80, 0x3f),
    );
  });

  test('what is written is read back: types, shapes, values, metadata', () => {
    const tensors = readTensors(SMALL, ORIGIN);
    expect([...tensors].map(([name, t]) => [name, t.dtype, t.shape, [...t.data]])).toEqual([
      ['labels', 'I64', [2], [7n, -1n]],
      ['bias', 'F32', [3], [1, -2, 0.5]],
      ['empty', 'F32', [0, 4], []],
      ['__proto__', 'U8', [], [9]],
    ]);
    expect([...readHeader(bytesInMemory(SMALL, ORIGIN), ORIGIN).metadata]).toEqual([['format', 'pt']]);
    expect(asFloat32(tensors.get('labels')!).data).toEqual(Float32Array.of(7, -1));
  });

  test('every tensor begins at a multiple of its element size', () => {
    const { entries } = readHeader(bytesInMemory(SMALL, ORIGIN), ORIGIN);
    expect(
      entries.map(({ offset, dtype }) => offset % (dtype === 'I64' ? 8 : dtype === 'F32' ? 4 : 1)),
    ).toEqual([0, 0, 0, 0]);
  });

  test('any tensors survive the way there and back', () => {
    const tensor = fc.tuple(fc.string({ unit: 'binary' }), fc.float32Array({ maxLength: 20 }));
    fc.assert(
      fc.property(fc.uniqueArray(tensor, { selector: ([name]) => name }), (pairs) => {
        fc.pre(pairs.every(([name]) => name !== '__metadata__'));
        const tensors = new Map(pairs.map(([name, data]) => [name, { shape: [data.length], data }]));
        const read = readTensors(writeTensors(tensors), ORIGIN);
        expect(new Map([...read].map(([name, { shape, data }]) => [name, { shape, data }]))).toEqual(tensors);
      }),
      { numRuns: 40 },
    );
  });

  test('a name twice and a shape that does not fit its data are our own bugs', () => {
    const x = { name: 'x', shape: [2], dtype: 'F32', data: () => Float32Array.of(1, 2) } as const;
    expect(() => [...safetensorsChunks([x, x])]).toThrow('internal: the tensor name x is taken');
    expect(() => [...safetensorsChunks([{ ...x, shape: [3] }])]).toThrow(
      'internal: tensor x has 2 elements for [3]',
    );
  });
});

describe('weights', () => {
  test('half, brain and double floats come as float32; integers are refused by name', () => {
    const header = `{${entry('h', 'F16', [2], 0, 4)},${entry('b', 'BF16', [1], 4, 6)},${entry('d', 'F64', [1], 6, 14)},${entry('i', 'I32', [1], 14, 18)}}`;
    const bytes = file(header, 18);
    const data = bytes.subarray(bytes.length - 18);
    data.set(new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x3f80).buffer));
    data.set(new Uint8Array(Float64Array.of(0.1).buffer), 6);
    const weights = safetensorsWeights(bytesInMemory(bytes, ORIGIN), 'w.safetensors');
    expect(weights.tensors?.map(({ name }) => name)).toEqual(['h', 'b', 'd', 'i']);
    expect([...weights.read('h', [2])]).toEqual([1, -2]);
    expect([...weights.read('b', [1])]).toEqual([1]);
    expect([...weights.read('d', [1])]).toEqual([Math.fround(0.1)]);
    expect(faultOf('weights', () => weights.read('i', [1]))).toContain(
      'tensor "i" is of type I32; weights are',
    );
    expect(faultOf('weights', () => weights.read('h', [3]))).toContain('tensor "h" is [2], not [3]');
    expect(faultOf('weights', () => weights.read('x', [3]))).toContain('there is no tensor "x"');
  });
});

describe('bad files are told with what is wrong', () => {
  test.each<[string, Uint8Array, string]>([
    ['too short', new Uint8Array(7), 'it has 7 bytes'],
    [
      'a header past the end',
      file('{}').subarray(0, 9),
      'its header claims 2 bytes, but the file has only 9',
    ],
    ['a huge header', new Uint8Array(16).fill(255), 'at most 100000000 are allowed'],
    ['no JSON', file('{"a":}'), 'its header is not valid JSON'],
    ['an array', file('[]'), 'its header does not begin with {'],
    [
      'not UTF-8',
      file('{"\u0000"}').map((byte, i) => (i === 10 ? 0xff : byte)),
      'its header is not valid UTF-8',
    ],
    [
      'a key twice',
      file(`{${entry('a', 'U8', [1], 0, 1)},${entry('a', 'U8', [1], 0, 1)}}`, 1),
      'the key "a" twice',
    ],
    ['metadata of numbers', file('{"__metadata__":{"a":1}}'), '__metadata__ is not a map from text to text'],
    [
      'an unknown type',
      file(`{${entry('a', 'F4', [2], 0, 1)}}`, 1),
      'tensor "a" is of type "F4"; convert it to one of F64 F32',
    ],
    ['an inherited type', file(`{${entry('a', 'toString', [2], 0, 1)}}`, 1), 'is of type "toString"'],
    ['no shape', file('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4), 'tensor "a": /shape'],
    [
      'a key too many',
      file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"b":1}}', 1),
      'tensor "a": /',
    ],
    ['a negative size', file(`{${entry('a', 'U8', [-1], 0, 1)}}`, 1), 'tensor "a": /shape/0'],
    ['a fractional size', file(`{${entry('a', 'U8', [0.5], 0, 1)}}`, 1), 'tensor "a": /shape/0'],
    [
      'an infinite offset',
      file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1e999]}}', 1),
      'data_offsets/1',
    ],
    [
      'a wrong extent',
      file(`{${entry('a', 'F32', [2, 2], 0, 12)}}`, 12),
      'hold 12 bytes, but F32 [2, 2] takes 16',
    ],
    ['a backward extent', file(`{${entry('a', 'U8', [1], 1, 0)}}`, 1), 'hold -1 bytes'],
    ['too many elements', file(`{${entry('a', 'U8', [2 ** 40, 2 ** 40], 0, 1)}}`, 1), 'takes Infinity'],
    [
      'a hole',
      file(`{${entry('a', 'U8', [1], 0, 1)},${entry('b', 'U8', [1], 2, 3)}}`, 3),
      '"b" leaves a hole of 1 bytes',
    ],
    [
      'an overlap',
      file(`{${entry('a', 'U8', [2], 0, 2)},${entry('b', 'U8', [2], 1, 3)}}`, 3),
      '"b" overlaps',
    ],
    ['data past the end', file(`{${entry('a', 'U8', [2], 0, 2)}}`, 1), 'its tensors end at byte'],
    ['bytes left over', file(`{${entry('a', 'U8', [2], 0, 2)}}`, 3), 'its tensors end at byte'],
  ])('%s', (_, bytes, message) => {
    expect(faultOf('weights', () => readTensors(bytes, ORIGIN))).toContain(message);
  });

  test('cut anywhere, it is refused', () => {
    for (let length = 0; length < SMALL.length; length++) {
      faultOf('weights', () => readTensors(SMALL.subarray(0, length), ORIGIN));
    }
  });

  test('with any bytes changed, it is read or refused', () => {
    const change = fc.tuple(fc.nat(SMALL.length - 1), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = SMALL.slice();
        for (const [at, bits] of changes) bytes[at]! ^= bits;
        onlyFaults('weights', () => readTensors(bytes, ORIGIN));
      }),
      { numRuns: 1000 },
    );
  });
});
