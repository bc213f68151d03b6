// The one place of the runtime that touches the file system: reads, ranged reads, and files that appear whole.
// Final names appear only by write, fsync and rename, so that a reader never meets half a file. Small files are written
// at once, and no signal handler can run in the middle; large ones in pieces, and whatever ends them removes the temporary.

import fs from 'node:fs';
import path from 'node:path';
import { type ByteSource, checkRange, fault, type Origin } from '../../bytes.ts';
import { pathKind } from './path-kind.ts';
import { makeFolders, writing } from './pieces.ts';
import { guarded, IS_FOLDER } from './system-faults.ts';
import { inTurns } from './turns.ts';

export { pathKind } from './path-kind.ts';

const IS_PIPE = 'this is a pipe; write it to a file and name that';

/** Opening a pipe that nobody writes to must not wait for a writer: no signal would end that. Windows has no such flag. */
const READ_AT_ONCE = fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0);

/**
 * Opens a regular file for ranged reads; the handle stays open until `close`. A device or a pipe has no size and may have
 * no end: it is refused at once. Faults are of `origin.kind` and name `origin.label`, which is the path.
 */
export function openFile(origin: Origin): ByteSource {
  return guarded(origin, () => {
    const fd = fs.openSync(origin.label, READ_AT_ONCE);
    try {
      const stat = fs.fstatSync(fd);
      if (stat.isFile()) return fileSource(fd, stat.size, origin);
      if (stat.isDirectory()) throw fault(origin, IS_FOLDER);
      throw fault(origin, stat.isFIFO() ? IS_PIPE : 'this is a device; name a regular file');
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  });
}

function fileSource(fd: number, size: number, origin: Origin): ByteSource {
  let open = true;
  return {
    size,
    read(offset, length, scratch) {
      if (!open) throw fault(origin, 'it was read after it was closed');
      checkRange(origin, size, offset, length);
      return guarded(origin, () => {
        const bytes = scratch?.bytes(length) ?? new Uint8Array(length);
        let done = 0;
        while (done < length) {
          const count = fs.readSync(fd, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
          if (count === 0) throw fault(origin, 'the file became shorter while it was being read');
          done += count;
        }
        return bytes;
      });
    },
    close() {
      if (!open) return;
      // a descriptor is given back whatever close says, and its number may be another file's then
      open = false;
      guarded(origin, () => fs.closeSync(fd));
    },
  };
}

/**
 * What there is to be read at a path. Throws a fault of the origin for pipes and devices, and where the system does not say
 * what there is, as where a folder above it is closed to the user.
 */
export function readableKind(origin: Origin): 'file' | 'folder' | 'missing' {
  const kind = guarded(origin, () => pathKind(origin.label));
  if (kind !== 'other') return kind;
  // opening it tells why
  openFile(origin).close();
  return 'file';
}

/** The whole file. */
export function readFile(origin: Origin): Uint8Array {
  const source = openFile(origin);
  try {
    return source.read(0, source.size);
  } finally {
    source.close();
  }
}

/** The names in a folder, sorted by code unit. Throws RuntimeError of the origin's kind. */
export function namesIn(origin: Origin): readonly string[] {
  return guarded(origin, () => fs.readdirSync(origin.label).sort());
}

/** The files below a folder as relative paths with `/`, sorted by code unit; links are listed, not followed. */
export function listFolder(origin: Origin): readonly string[] {
  const below = (folder: string, prefix: string): string[] =>
    fs
      .readdirSync(folder, { withFileTypes: true })
      .flatMap((entry) =>
        entry.isDirectory()
          ? below(path.join(folder, entry.name), `${prefix}${entry.name}/`)
          : [`${prefix}${entry.name}`],
      );
  return guarded(origin, () => below(origin.label, '').sort());
}

/** Says early whether `file` could be written, so that a long run does not fail at its end. Writes nothing. */
export function checkWritable(file: string): void {
  const origin: Origin = { kind: 'output', label: file };
  guarded(origin, () => {
    const kind = pathKind(file);
    if (kind === 'folder') throw fault(origin, IS_FOLDER);
    if (kind !== 'missing') fs.accessSync(file, fs.constants.W_OK);
    if (kind !== 'other') checkFolder(path.dirname(path.resolve(file)), origin);
  });
}

/** Says early whether files could be made in `folder`, which need not exist yet. Writes nothing. */
export function checkWritableFolder(folder: string): void {
  const origin: Origin = { kind: 'output', label: folder };
  guarded(origin, () => checkFolder(path.resolve(folder), origin));
}

function checkFolder(folder: string, origin: Origin): void {
  const stat = fs.statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) {
    checkFolder(path.dirname(folder), origin);
    return;
  }
  if (!stat.isDirectory()) throw fault(origin, `${folder} is a file where a folder is needed`);
  fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
}

/**
 * Writes a file that appears whole or not at all: into a temporary beside it, fsync, rename. Missing folders are
 * made. A link is written through, a device or pipe directly. On failure the temporary is removed and what stood
 * there before still stands. Faults are of kind `output`.
 */
export function writeFile(file: string, content: string | Uint8Array | Iterable<Uint8Array>): void {
  const origin: Origin = { kind: 'output', label: file };
  guarded(origin, () => {
    for (const _ of writing(origin, asChunks(content)));
  });
}

/**
 * The same for a file that takes long: between its pieces the event loop has its turns. Rejects with the signal's reason,
 * and the temporary is removed, where the signal is aborted; also where the process is ended meanwhile.
 */
export async function writeLargeFile(
  file: string,
  content: Uint8Array | Iterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const origin: Origin = { kind: 'output', label: file };
  await inTurns(origin, writing(origin, asChunks(content)), signal);
}

/**
 * Makes a folder and those above it. Node's own way never ends where a folder is there and takes none, as /proc does.
 * Faults are of kind `output`.
 */
export function makeFolder(folder: string): void {
  guarded({ kind: 'output', label: folder }, () => makeFolders(folder));
}

function asChunks(content: string | Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> {
  if (typeof content === 'string') return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}
