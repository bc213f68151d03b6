import { inflateRawSync } from 'node:zlib';
import { type Zippable, zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { bytesInMemory, dataView } from '../../../runtime/bytes.ts';
import { openZip } from '../../../runtime/weights/zip.ts';
import { faultOf } from '../../fixtures/faults.ts';
import { latin1 } from '../../fixtures/torch-archive.ts';

const ORIGIN = { kind: 'weights', label: 'w.pt' } as const;
const TEXT = latin1('the quick brown fox jumps over the lazy dog, '.repeat(20));

function archive(level: 0 | 6, files: Zippable = { 'a/x': TEXT, 'a/y': Uint8Array.of(1, 2, 3) }): Uint8Array {
  return zipSync(files, { level, mtime: '1980-01-01' });
}

function open(bytes: Uint8Array) {
  return openZip(bytesInMemory(bytes, ORIGIN), ORIGIN);
}

/** Where the `n`th record with this signature begins. */
function find(bytes: Uint8Array, signature: number, n = 0): number {
  const view = dataView(bytes);
  for (let at = 0, seen = 0; at + 4 <= bytes.length; at++) {
    if (view.getUint32(at, true) === signature && seen++ === n) return at;
  }
  throw new Error('no such record');
}

const DIRECTORY = 0x02014b50;
const END = 0x06054b50;

/** `bytes` with one field of the directory, the end record or an entry's own header changed. */
function patched(bytes: Uint8Array, at: number, size: 2 | 4, value: number): Uint8Array {
  const copy = bytes.slice();
  if (size === 2) dataView(copy).setUint16(at, value, true);
  else dataView(copy).setUint32(at, value, true);
  return copy;
}

/** The same archive with its sizes and places in zip64 fields. */
function asZip64(bytes: Uint8Array): Uint8Array {
  const end = find(bytes, END);
  const view = dataView(bytes);
  const tail = new Uint8Array(56 + 20 + 22);
  const out = dataView(tail);
  out.setUint32(0, 0x06064b50, true);
  out.setBigUint64(4, 44n, true);
  for (const at of [24, 32]) out.setBigUint64(at, BigInt(view.getUint16(end + 10, true)), true);
  out.setBigUint64(40, BigInt(view.getUint32(end + 12, true)), true);
  out.setBigUint64(48, BigInt(view.getUint32(end + 16, true)), true);
  out.setUint32(56, 0x07064b50, true);
  out.setBigUint64(64, BigInt(end), true);
  out.setUint32(72, 1, true);
  out.setUint32(76, END, true);
  for (const at of [84, 86]) out.setUint16(at, 0xffff, true);
  for (const at of [88, 92]) out.setUint32(at, 0xffffffff, true);
  const joined = new Uint8Array(end + tail.length);
  joined.set(bytes.subarray(0, end));
  joined.set(tail, end);
  return joined;
}

describe('reading', () => {
  test.each([0, 6] as const)('entries at level %i', (level) => {
    const zip = open(archive(level));
    expect([...zip.entries.keys()]).toEqual(['a/x', 'a/y']);
    const x = zip.entries.get('a/x')!;
    expect(x.method).toBe(level === 0 ? 'stored' : 'deflate');
    expect(zip.read(x)).toEqual(TEXT);
    expect(zip.read(x, 4, 5)).toEqual(latin1('quick'));
    expect([...zip.read(zip.entries.get('a/y')!)]).toEqual([1, 2, 3]);
  });

  test('an archive with a comment, and an empty one', () => {
    const bytes = archive(0);
    const commented = new Uint8Array([...patched(bytes, bytes.length - 2, 2, 5), ...latin1('hello')]);
    expect(open(commented).entries.size).toBe(2);
    expect(open(archive(0, {})).entries.size).toBe(0);
  });

  test('zip64', () => {
    const zip = open(asZip64(archive(6)));
    expect(zip.read(zip.entries.get('a/x')!)).toEqual(TEXT);
  });

  test('what is unpacked is what zlib unpacks', () => {
    const bytes = archive(6);
    const x = open(bytes).entries.get('a/x')!;
    expect(new Uint8Array(inflateRawSync(bytes.subarray(x.offset, x.offset + x.packed)))).toEqual(TEXT);
  });
});

describe('bad archives are told with what is wrong', () => {
  const stored = archive(0);
  const deflated = archive(6);
  const entry = find(stored, DIRECTORY);
  const end = find(stored, END);
  const second = find(stored, DIRECTORY, 1);
  const entryDeflated = find(deflated, DIRECTORY);

  test.each<[string, Uint8Array, string]>([
    ['cut short', stored.subarray(0, -1), 'it is cut short'],
    ['several disks', patched(stored, end + 4, 2, 1), 'one part of an archive of several'],
    ['a directory elsewhere', patched(stored, end + 16, 4, 3), 'does not end at'],
    ['too many entries', patched(stored, end + 10, 2, 999), 'its directory claims 999 entries'],
    ['too few entries', patched(stored, end + 10, 2, 1), 'bytes after its last entry'],
    ['no zip64 record', patched(stored, end + 10, 2, 0xffff), 'its zip64 end record is not there'],
    ['no entry', patched(stored, second, 4, 0), 'entry 1 of its directory'],
    ['a long name', patched(stored, second + 28, 2, 0xffff), 'entry 1 of its directory is cut short'],
    ['a foreign method', patched(stored, entry + 10, 2, 12), 'entry "a/x" is packed by method 12'],
    ['a password', patched(stored, entry + 8, 2, 1), 'entry "a/x" is encrypted'],
    ['a place past the directory', patched(stored, entry + 42, 4, 0x7fffffff), 'past the directory'],
    ['no entry at its place', patched(stored, entry + 42, 4, 1), 'entry "a/x": there is no entry at 1'],
    ['another entry at its place', patched(stored, second + 42, 4, 0), 'its own header at 0 disagrees'],
    ['missing zip64 sizes', patched(stored, entry + 24, 4, 0xffffffff), '"a/x" lacks its zip64 sizes'],
    ['sizes that disagree', patched(stored, entry + 24, 4, 5), 'claims to unpack 900 bytes to 5'],
    ['a bomb', patched(deflated, entryDeflated + 24, 4, 0x7fffffff), 'bytes to 2147483647'],
    [
      'data that runs into the directory',
      patched(patched(stored, entry + 20, 4, 60000), entry + 24, 4, 60000),
      'run into the directory',
    ],
    [
      'an overlap',
      patched(patched(stored, entry + 20, 4, 920), entry + 24, 4, 920),
      'entries "a/x" and "a/y" overlap',
    ],
  ])('%s', (_, bytes, message) => {
    expect(faultOf('weights', () => open(bytes))).toContain(message);
  });

  test('two entries of one name', () => {
    const twins = archive(0, { 'a/x': Uint8Array.of(1), 'a/y': Uint8Array.of(2) }).map((byte) =>
      byte === 0x79 ? 0x78 : byte,
    );
    expect(faultOf('weights', () => open(twins))).toContain('two entries called "a/x"');
  });

  test.each<[string, Uint8Array, string]>([
    ['a changed byte', patched(stored, 40, 2, 0), 'does not match its checksum'],
    ['a shorter claim', patched(deflated, entryDeflated + 24, 4, 899), 'does not unpack to the 899 bytes'],
    ['a longer claim', patched(deflated, entryDeflated + 24, 4, 901), 'does not unpack to the 901 bytes'],
    ['a broken stream', patched(deflated, 34, 4, 0xffffffff), 'does not unpack'],
  ])('%s', (_, bytes, message) => {
    const zip = open(bytes);
    expect(faultOf('weights', () => zip.read(zip.entries.get('a/x')!))).toContain(message);
  });

  test('a checksum of 0 was not computed and is not held to', () => {
    const zip = open(patched(stored, entry + 16, 4, 0));
    expect(zip.read(zip.entries.get('a/x')!)).toEqual(TEXT);
  });
});
