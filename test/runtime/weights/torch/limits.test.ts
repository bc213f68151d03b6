// Small files that ask for much: each ends in a fault of the weights, early.

import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { bytesInMemory } from '../../../../runtime/bytes.ts';
import { wholeFile } from '../../../../runtime/weights/checkpoint.ts';
import { archiveWeights } from '../../../../runtime/weights/torch/archive.ts';
import { unpickle } from '../../../../runtime/weights/torch/pickle.ts';
import { faultOf } from '../../../fixtures/faults.ts';
import {
  dict,
  floats,
  latin1,
  tensor,
  torchArchive,
  uint32,
  unicode,
} from '../../../fixtures/torch-archive.ts';

const ORIGIN = { kind: 'weights', label: 'w.pt' } as const;
const MILLIONS = 3_000_000;

function open(bytes: Uint8Array) {
  return archiveWeights(bytesInMemory(bytes, ORIGIN), wholeFile('w.pt'));
}

/** `piece` over and over, some millions of bytes. */
function many(piece: string): string {
  return piece.repeat(Math.ceil(MILLIONS / piece.length));
}

const MEMORY = 'describes more than the 32 MB of values that are read';
const OPERATIONS = 'takes more than the 2000000 operations that are run';

describe('pickles', () => {
  test.each<[string, string, string]>([
    ['dicts', many('}'), MEMORY],
    ['lists', many(']'), MEMORY],
    ['tuples', many(')'), MEMORY],
    ['tuples of one', many('N\x85'), MEMORY],
    ['tuples in tuples', `N${many('\x85')}`, MEMORY],
    ['sets', many('\x8f'), MEMORY],
    ['frozen sets', many('(\x91'), MEMORY],
    ['None', many('N'), MEMORY],
    ['numbers', many('K\x01'), MEMORY],
    ['copies', `N${many('2')}`, MEMORY],
    ['what is popped at once', many('N0'), OPERATIONS],
    ['marks that are closed at once', many('(1'), OPERATIONS],
    ['the memo, one place', `N${'q\x00'.repeat(2_000_001)}`, OPERATIONS],
    ['the memo, every place', `N${many('\x94')}`, MEMORY],
    ['the memo, far out', 'Nr\xff\xff\xff\xff', MEMORY],
    [
      'the memo, further and further',
      Array.from({ length: 1000 }, (_, i) => `Nr${uint32(i * 4000)}`).join(''),
      MEMORY,
    ],
    ['short text', many('\x8c\x00'), MEMORY],
    ['long text', many(`X${uint32(60000)}${'a'.repeat(60000)}`).repeat(12), MEMORY],
    ['bytes', many('C\x04abcd'), MEMORY],
    ['names', many('cos\nsystem\n'), MEMORY],
    ['calls', many('ccollections\nOrderedDict\n)R'), MEMORY],
    ['a list with millions of items', `](${many('N')}e`, MEMORY],
    ['dicts in dicts', `}${many(`${unicode('a')}}`)}`, MEMORY],
    ['a tensor over and over', many(tensor({ count: 1, shape: [1], stride: [1] })), MEMORY],
    [
      'one text made bytes over and over',
      `c_codecs\nencode\nq\x000X${uint32(60000)}${'a'.repeat(60000)}${unicode('latin1')}\x86q\x010${many('h\x00h\x01R0')}`,
      MEMORY,
    ],
    [
      'one list made a dict over and over',
      `ccollections\nOrderedDict\nq\x000](${'K\x01N\x86'.repeat(50_000)}e\x85q\x010${many('h\x00h\x01R0')}`,
      MEMORY,
    ],
  ])('%s', (_, body, message) => {
    const bytes = latin1(`\x80\x02${body}.`);
    const start = performance.now();
    expect(faultOf('weights', () => unpickle(bytesInMemory(bytes, ORIGIN), ORIGIN))).toContain(message);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test('long text stays where it is, and costs nothing', () => {
    const text = `X${uint32(70000)}${'a'.repeat(70000)}0`;
    const bytes = latin1(`\x80\x02${text.repeat(600)}K\x01.`);
    expect(unpickle(bytesInMemory(bytes, ORIGIN), ORIGIN).value).toBe(1);
  });

  test('ten thousand tensors with all that torch.save says of each are far from the limits', () => {
    const names = [
      'ctorch._utils\n_rebuild_tensor_v2\n',
      unicode('storage'),
      'ctorch\nFloatStorage\n',
      unicode('cpu'),
    ];
    const known = [...names, 'ccollections\nOrderedDict\n'].map(
      (name, i) => `${name}q${String.fromCharCode(i)}0`,
    );
    const one = (i: number) => {
      let place = 5 + 12 * i;
      const kept = (value: string) => `${value}r${uint32(place++)}`;
      const id = kept(`(h\x01h\x02${kept(unicode(`${i}`))}h\x03K\x09t`);
      const hooks = kept('h\x04)R');
      const args = kept(`(${id}QK\x00${kept('K\x03K\x03\x86')}${kept('K\x03K\x01\x86')}\x89${hooks}t`);
      return `${kept(unicode(`${i}`.padStart(60, 'n')))}h\x00${args}${kept('R')}`;
    };
    const tensors = Array.from({ length: 10_000 }, (_, i) => one(i));
    const bytes = latin1(`\x80\x02${known.join('')}}(${tensors.join('')}u.`);
    expect(unpickle(bytesInMemory(bytes, ORIGIN), ORIGIN).storages.size).toBe(10_000);
  });

  test('a pickle that is packed is unpacked only where it is small', () => {
    const bytes = zipSync({ 'a/data.pkl': [new Uint8Array(60_000_000).fill(0x7d), { level: 6 }] });
    expect(bytes.length).toBeLessThan(100_000);
    expect(faultOf('weights', () => open(bytes))).toContain('is packed and has 60000000 bytes');
  });

  test.each(['junk', '.', `\x80\x02}.`])('bytes after its end: %j', (after) => {
    const w = dict({ w: tensor({ count: 1, shape: [1], stride: [1] }) });
    const bytes = zipSync(
      { 'a/data.pkl': latin1(`\x80\x02${w}.${after}`), 'a/data/0': floats(1) },
      { level: 0 },
    );
    expect(faultOf('weights', () => open(bytes))).toContain(
      `ends ${after.length} bytes before its file does`,
    );
  });
});

describe('what tensors expand to', () => {
  const four = { 0: floats(1, 2, 3, 4) };

  test.each<[string, string, readonly number[]]>([
    ['a mask that repeats one element', tensor({ count: 4, shape: [256, 256], stride: [0, 0] }), [256, 256]],
    ['rows that overlap', tensor({ count: 4, shape: [3, 2], stride: [1, 1] }), [3, 2]],
    ['a transposed view', tensor({ count: 4, shape: [2, 2], stride: [1, 2] }), [2, 2]],
  ])('%s is read', (_, w, shape) => {
    expect(open(torchArchive(dict({ w }), four)).read('w', shape)[0]).toBe(1);
  });

  test.each<[string, string]>([
    ['a stride of 0', tensor({ count: 4, shape: [0x10000000], stride: [0] })],
    ['a stride of 0 beside another one', tensor({ count: 4, shape: [0x1000000, 4], stride: [0, 1] })],
    [
      'a stride of 1 in every dimension',
      tensor({ count: 4, shape: Array(24).fill(2), stride: Array(24).fill(0) }),
    ],
    ['float16', tensor({ type: 'HalfStorage', count: 8, shape: [0x1000000], stride: [0] })],
  ])('%s is told', (_, w) => {
    expect(faultOf('weights', () => open(torchArchive(dict({ w }), four)))).toMatch(
      /tensor "w": \[.*\] takes \d+ bytes, and its storage has only 16; save it with .contiguous/,
    );
  });

  test('many that are small, and one storage under many names', () => {
    const spread = tensor({ count: 4, shape: [200_000], stride: [0] });
    const names = Array.from({ length: 10 }, (_, i) => `w${i}`);
    const bomb = dict(Object.fromEntries(names.map((name) => [name, spread])));
    expect(faultOf('weights', () => open(torchArchive(bomb, four)))).toContain(
      'its 10 tensors take 8000000 bytes, "w0" the most, and their storages have only 16',
    );
    const values = { 0: new Uint8Array(2 ** 20) };
    const whole = tensor({ count: 2 ** 18, shape: [2 ** 18], stride: [1] });
    const tied = dict(Object.fromEntries(names.slice(0, 6).map((name) => [name, whole])));
    expect(open(torchArchive(tied, values)).tensors?.length).toBe(6);
    const more = dict(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`w${i}`, whole])));
    expect(faultOf('weights', () => open(torchArchive(more, values)))).toContain('its 20 tensors take');
  });
});

describe('packed storages', () => {
  test('one that several tensors share is unpacked once', () => {
    const count = 100_000;
    const names = Array.from({ length: 7 }, (_, i) => `w${i}`);
    const view = (i: number) => tensor({ count, offset: i * 10_000, shape: [10_000], stride: [1] });
    const pickle = dict(Object.fromEntries(names.map((name, i) => [name, view(i)])));
    const values = Float32Array.from({ length: count }, (_, i) => Math.floor(i / 10_000));
    const bytes = torchArchive(pickle, { 0: new Uint8Array(values.buffer) }, {}, 6);
    let read = 0;
    const source = bytesInMemory(bytes, ORIGIN);
    const counted = {
      ...source,
      read: (offset: number, length: number) => {
        read += length;
        return source.read(offset, length);
      },
    };
    const weights = archiveWeights(counted, wholeFile('w.pt'));
    const before = read;
    for (const [i, name] of names.entries()) {
      expect(weights.read(name, [10_000]).every((value) => value === i)).toBe(true);
    }
    expect(read - before).toBeLessThan(bytes.length);
  });

  test('one that is large is refused before it is unpacked', () => {
    const count = 2 ** 26;
    const w = tensor({ count, shape: [count], stride: [1] });
    const bytes = torchArchive(dict({ w }), { 0: new Uint8Array(4 * count) }, {}, 6);
    expect(bytes.length).toBeLessThan(2 ** 20);
    expect(faultOf('weights', () => open(bytes))).toContain(
      'entry "a/data/0" is packed and has 268435456 bytes; packed entries are read up to 128 MB in all',
    );
  });
});
