// Files that appear whole, written piece by piece: into a temporary beside the final name, then renamed.

import fs from 'node:fs';
import path from 'node:path';
import { fault, type Origin } from '../../bytes.ts';
import { pathKind } from './path-kind.ts';
import { IS_FOLDER } from './system-faults.ts';

/** Writes the file that `origin` names. Ended early, it takes away what it has begun. */
export function* writing(origin: Origin, chunks: Iterable<Uint8Array>): Generator<undefined, void> {
  const file = origin.label;
  const kind = pathKind(file);
  if (kind === 'folder') throw fault(origin, IS_FOLDER);
  if (kind === 'other') {
    yield* writingChunks(file, 'w', 0o666, chunks, false);
    return;
  }
  const target = kind === 'file' ? fs.realpathSync(file) : path.resolve(file);
  const mode = kind === 'file' ? fs.statSync(target).mode & 0o777 : 0o666;
  makeFolders(path.dirname(target));
  const temporary = temporaryBeside(target);
  let whole = false;
  try {
    yield* writingChunks(temporary, 'wx', mode, chunks, true);
    fs.renameSync(temporary, target);
    whole = true;
  } finally {
    if (!whole) fs.rmSync(temporary, { force: true });
  }
  syncFolder(path.dirname(target));
}

/** Bytes of a call that writes, and after which the disk is waited for: no call takes as long as a large file does. */
const PIECE = 2 ** 24;
const SYNCED = 2 ** 26;

/** Writes to a path as it is; `sync` waits for the disk. */
export function* writingChunks(
  file: string,
  flag: string,
  mode: number,
  chunks: Iterable<Uint8Array>,
  sync: boolean,
): Generator<undefined, void> {
  const fd = fs.openSync(file, flag, mode);
  try {
    let unsynced = 0;
    for (const chunk of chunks) {
      for (let done = 0; done < chunk.length; ) {
        const count = fs.writeSync(fd, chunk, done, Math.min(chunk.length - done, PIECE));
        done += count;
        unsynced += count;
        if (sync && unsynced >= SYNCED) {
          fs.fsyncSync(fd);
          unsynced = 0;
        }
        yield;
      }
    }
    if (sync) fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Makes a folder and those above it. */
export function makeFolders(folder: string): void {
  if (pathKind(folder) !== 'missing') return;
  makeFolders(path.dirname(folder));
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    // another process may have been faster
    if (pathKind(folder) !== 'folder') throw error;
  }
}

/** A name beside another that no other writer takes. */
export function temporaryBeside(target: string): string {
  const name = path.basename(target).slice(0, 100);
  return path.join(path.dirname(target), `.${name}.${crypto.randomUUID().slice(0, 8)}.tmp`);
}

/** Makes a rename last. Systems that cannot fsync a folder lose nothing but that promise. */
export function syncFolder(folder: string): void {
  try {
    const fd = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  } catch {}
}
