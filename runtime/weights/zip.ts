// Reads zip archives by ranges, so that a stored entry is never held whole: the directory is checked first (extents,
// overlaps, duplicate names, zip64), entries are read when asked for. Deflate is fflate's.
// Source of the layout: PKWARE APPNOTE.TXT 6.3, sections 4.3 and 4.5.3.

import { inflateSync } from 'fflate';
import { type ByteSource, dataView, decodeUtf8, fault, type Origin } from '../bytes.ts';
import type { Scratch } from '../scratch.ts';
import { crc32 } from './crc32.ts';

export interface ZipEntry {
  readonly name: string;
  readonly method: 'stored' | 'deflate';
  /** Bytes in the file and, unpacked, in memory. */
  readonly packed: number;
  readonly size: number;
  readonly crc32: number;
  /** Where its data begins in the file. */
  readonly offset: number;
}

export interface Zip {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /**
   * A range of an entry, the whole where none is given; it may lie in `scratch`. A whole entry is held to its checksum.
   */
  read(entry: ZipEntry, offset?: number, length?: number, scratch?: Scratch): Uint8Array;
}

/** Some 150,000 entries; a checkpoint has one a tensor. */
const MAX_DIRECTORY = 16 * 1024 * 1024;
/** The most that deflate can shrink by (1032 : 1), with room for its blocks. */
const MAX_RATIO = 1040;

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

/** Reads and checks the directory of a zip archive. Throws a RuntimeError of `origin.kind`. */
export function openZip(source: ByteSource, origin: Origin): Zip {
  const directory = findDirectory(source, origin);
  const entries = new Map<string, ZipEntry>();
  for (const entry of readDirectory(source, directory, origin)) {
    if (entries.has(entry.name))
      throw damaged(origin, `it has two entries called ${JSON.stringify(entry.name)}`);
    entries.set(entry.name, entry);
  }
  checkApart([...entries.values()], directory.offset, origin);
  return {
    entries,
    read: (entry, offset = 0, length = entry.size, scratch) =>
      readEntry(source, entry, offset, length, origin, scratch),
  };
}

/** The end record lies at the end of the file, before a comment of up to 65,535 bytes. */
function findDirectory(source: ByteSource, origin: Origin): Directory {
  const tailSize = Math.min(source.size, 22 + 0xffff);
  const tail = dataView(source.read(source.size - tailSize, tailSize));
  for (let at = tailSize - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== 0x06054b50 || at + 22 + tail.getUint16(at + 20, true) !== tailSize)
      continue;
    const end = source.size - tailSize + at;
    const disks = tail.getUint32(at + 4, true);
    let directory: Directory = {
      count: tail.getUint16(at + 10, true),
      size: tail.getUint32(at + 12, true),
      offset: tail.getUint32(at + 16, true),
    };
    let after = end;
    if (directory.count === 0xffff || directory.size === 0xffffffff || directory.offset === 0xffffffff) {
      after = zip64End(source, end, origin);
      directory = zip64Directory(source, after, origin);
    } else if (end >= 20 && dataView(source.read(end - 20, 4)).getUint32(0, true) === 0x07064b50) {
      after = zip64End(source, end, origin);
    }
    if (disks !== 0 && disks !== 0xffffffff) throw damaged(origin, 'it is one part of an archive of several');
    if (directory.offset + directory.size !== after) {
      throw damaged(
        origin,
        `its directory of ${directory.size} bytes at ${directory.offset} does not end at ${after}`,
      );
    }
    if (directory.size > MAX_DIRECTORY || directory.count * 46 > directory.size) {
      throw damaged(origin, `its directory claims ${directory.count} entries in ${directory.size} bytes`);
    }
    return directory;
  }
  throw damaged(origin, 'a zip archive ends with a directory, and this one does not: it is cut short');
}

/** Where the zip64 end record begins: just before its locator, which lies just before the plain end record. */
function zip64End(source: ByteSource, end: number, origin: Origin): number {
  const locator = end - 20;
  const view = locator >= 56 ? dataView(source.read(locator, 20)) : null;
  const record = view?.getUint32(0, true) === 0x07064b50 ? Number(view.getBigUint64(8, true)) : Number.NaN;
  if (record + 56 > locator || !Number.isSafeInteger(record))
    throw damaged(origin, 'its zip64 end record is not there');
  const head = dataView(source.read(record, 12));
  if (
    head.getUint32(0, true) !== 0x06064b50 ||
    record + 12 + Number(head.getBigUint64(4, true)) !== locator
  ) {
    throw damaged(origin, `there is no zip64 end record at ${record}`);
  }
  return record;
}

function zip64Directory(source: ByteSource, record: number, origin: Origin): Directory {
  const view = dataView(source.read(record, 56));
  const number = (at: number) => safe(view.getBigUint64(at, true), origin);
  return { count: number(32), size: number(40), offset: number(48) };
}

function readDirectory(source: ByteSource, directory: Directory, origin: Origin): ZipEntry[] {
  const bytes = source.read(directory.offset, directory.size);
  const view = dataView(bytes);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < directory.count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50) {
      throw damaged(origin, `entry ${i} of its directory, at byte ${directory.offset + at}, is no entry`);
    }
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > bytes.length) throw damaged(origin, `entry ${i} of its directory is cut short`);
    const name = decodeUtf8(bytes.subarray(at + 46, nameEnd));
    if (name === null) throw damaged(origin, `the name of entry ${i} is not valid UTF-8`);
    const sizes = zip64Sizes(view, at, nameEnd, extraEnd, name, origin);
    entries.push(readLocal(source, view, at, name, sizes, directory.offset, origin));
    at = next;
  }
  if (at !== bytes.length)
    throw damaged(origin, `its directory has ${bytes.length - at} bytes after its last entry`);
  return entries;
}

interface Sizes {
  readonly size: number;
  readonly packed: number;
  readonly header: number;
}

/** Sizes and place of an entry; a field of all ones stands in the zip64 extra field instead, in this order. */
function zip64Sizes(
  view: DataView,
  at: number,
  extra: number,
  end: number,
  name: string,
  origin: Origin,
): Sizes {
  const plain = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
  let field = extra;
  while (field + 4 <= end && view.getUint16(field, true) !== 1) field += 4 + view.getUint16(field + 2, true);
  let value = field + 4;
  const fieldEnd = field + 4 <= end ? Math.min(end, value + view.getUint16(field + 2, true)) : 0;
  const [size, packed, header] = plain.map((number) => {
    if (number !== 0xffffffff) return number;
    if (value + 8 > fieldEnd) throw damaged(origin, `entry ${JSON.stringify(name)} lacks its zip64 sizes`);
    value += 8;
    return safe(view.getBigUint64(value - 8, true), origin);
  });
  return { size: size!, packed: packed!, header: header! };
}

function readLocal(
  source: ByteSource,
  view: DataView,
  at: number,
  name: string,
  { size, packed, header }: Sizes,
  limit: number,
  origin: Origin,
): ZipEntry {
  const entry = `entry ${JSON.stringify(name)}`;
  if (view.getUint16(at + 8, true) & 0x2041)
    throw fault(origin, `${entry} is encrypted; save it without a password`);
  const code = view.getUint16(at + 10, true);
  const method = code === 0 ? 'stored' : code === 8 ? 'deflate' : null;
  if (method === null)
    throw fault(origin, `${entry} is packed by method ${code}; save it stored or deflated`);
  if (header + 30 > limit)
    throw damaged(origin, `${entry} lies at ${header}, past the directory at ${limit}`);
  const local = dataView(source.read(header, 30));
  if (local.getUint32(0, true) !== 0x04034b50)
    throw damaged(origin, `${entry}: there is no entry at ${header}`);
  const nameLength = local.getUint16(26, true);
  const offset = header + 30 + nameLength + local.getUint16(28, true);
  if (offset + packed > limit) {
    throw damaged(
      origin,
      `${entry}: bytes ${offset} to ${offset + packed} run into the directory at ${limit}`,
    );
  }
  if (local.getUint16(8, true) !== code || decodeUtf8(source.read(header + 30, nameLength)) !== name) {
    throw damaged(origin, `${entry}: its own header at ${header} disagrees with the directory`);
  }
  if (method === 'stored' ? size !== packed : size > packed * MAX_RATIO) {
    throw damaged(origin, `${entry} claims to unpack ${packed} bytes to ${size}`);
  }
  return { name, method, packed, size, crc32: view.getUint32(at + 16, true), offset };
}

/** No two entries may share bytes: the trick of archives that unpack to far more than they hold. */
function checkApart(entries: readonly ZipEntry[], limit: number, origin: Origin): void {
  const sorted = entries.toSorted((a, b) => a.offset - b.offset);
  for (const [i, entry] of sorted.entries()) {
    // The next entry's own header (30 bytes and its name) must also lie behind this one's data.
    const next = sorted[i + 1];
    const until = next === undefined ? limit : next.offset - 30 - new TextEncoder().encode(next.name).length;
    if (entry.offset + entry.packed > until) {
      throw damaged(
        origin,
        `entries ${JSON.stringify(entry.name)} and ${JSON.stringify(next?.name)} overlap`,
      );
    }
  }
}

function readEntry(
  source: ByteSource,
  entry: ZipEntry,
  offset: number,
  length: number,
  origin: Origin,
  scratch?: Scratch,
): Uint8Array {
  if (offset + length > entry.size)
    throw damaged(origin, `entry ${JSON.stringify(entry.name)} has ${entry.size} bytes`);
  const whole = offset === 0 && length === entry.size;
  if (entry.method === 'stored' && !whole) return source.read(entry.offset + offset, length, scratch);
  const packed = source.read(entry.offset, entry.packed, scratch);
  const bytes = entry.method === 'stored' ? packed : inflate(packed, entry, origin);
  // A writer that was told to skip checksums (torch.serialization.set_crc32_options) leaves 0.
  if (entry.crc32 !== 0 && crc32(bytes) !== entry.crc32) {
    throw damaged(origin, `entry ${JSON.stringify(entry.name)} does not match its checksum`);
  }
  return bytes.subarray(offset, offset + length);
}

/** Unpacks into a buffer with one byte to spare, so that an entry that is longer than it claims shows. */
function inflate(packed: Uint8Array, entry: ZipEntry, origin: Origin): Uint8Array {
  let bytes: Uint8Array | null = null;
  try {
    bytes = inflateSync(packed, { out: new Uint8Array(entry.size + 1) });
  } catch {}
  if (bytes?.length === entry.size) return bytes;
  throw damaged(
    origin,
    `entry ${JSON.stringify(entry.name)} does not unpack to the ${entry.size} bytes it claims`,
  );
}

function safe(number: bigint, origin: Origin): number {
  if (number <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(number);
  throw damaged(origin, `it claims a size or place of ${number} bytes`);
}

function damaged(origin: Origin, message: string) {
  return fault(origin, `${message}; the archive is damaged: download, copy or save it again`);
}
