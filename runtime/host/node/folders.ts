// Folders that appear whole or not at all: into a temporary beside the final name, then renamed into place.

import fs from 'node:fs';
import path from 'node:path';
import { fault, type Origin } from '../../bytes.ts';
import { listFolder, readFile } from './files.ts';
import { pathKind } from './path-kind.ts';
import { makeFolders, syncFolder, temporaryBeside, writingChunks } from './pieces.ts';
import { guarded } from './system-faults.ts';
import { inTurns } from './turns.ts';

/** What is in a file of a folder: text, bytes, or bytes piece by piece, which are made when the file's turn comes. */
export type FileContent = string | Uint8Array | Iterable<Uint8Array>;

/** Files by their path in the folder; they are written in this order. */
export type FolderFiles = ReadonlyMap<string, FileContent>;

/** Whether a file of an older folder was made by this writer: its relative path, and its bytes when asked for. */
export type Owned = (name: string, read: () => Uint8Array) => boolean;

/**
 * Writes a whole folder, so that no half of it is ever seen. An existing folder is replaced when it is empty or holds only
 * files that `owned` says this writer made; any other is refused untouched. Faults are of kind `output`.
 */
export function writeFolder(folder: string, files: FolderFiles, owned: Owned): void {
  guarded({ kind: 'output', label: folder }, () => {
    for (const _ of writingFolder(folder, files, owned));
  });
}

/**
 * The same for a folder that takes long: between its pieces the event loop has its turns. Rejects with the signal's reason,
 * and the temporary is removed, where the signal is aborted; also where the process is ended meanwhile.
 */
export async function writeLargeFolder(
  folder: string,
  files: FolderFiles,
  owned: Owned,
  signal: AbortSignal,
): Promise<void> {
  const origin: Origin = { kind: 'output', label: folder };
  await inTurns(origin, writingFolder(folder, files, owned), signal);
}

/** Says early whether `writeFolder` would refuse a folder for what it is or holds. Writes nothing. */
export function checkFolder(folder: string, owned: Owned): void {
  guarded({ kind: 'output', label: folder }, () => void replaceable(folder, owned));
}

/** The place of the folder, and whether there is one to be replaced. */
function replaceable(folder: string, owned: Owned): { readonly target: string; readonly replaces: boolean } {
  const origin: Origin = { kind: 'output', label: folder };
  const kind = pathKind(folder);
  if (kind === 'file' || kind === 'other') throw fault(origin, 'this is a file; name a folder');
  if (kind !== 'folder') return { target: path.resolve(folder), replaces: false };
  const target = fs.realpathSync(folder);
  const foreign = listFolder({ kind: 'output', label: target }).find(
    (name) => !owned(name, () => readFile({ kind: 'output', label: path.join(target, name) })),
  );
  if (foreign === undefined) return { target, replaces: true };
  throw fault(
    origin,
    `the folder holds ${foreign}, which was not written here; name an empty or a new folder`,
  );
}

function* writingFolder(folder: string, files: FolderFiles, owned: Owned): Generator<undefined, void> {
  const { target, replaces } = replaceable(folder, owned);
  makeFolders(path.dirname(target));
  const temporary = temporaryBeside(target);
  let whole = false;
  try {
    fs.mkdirSync(temporary);
    for (const [name, content] of files) yield* writingInside(temporary, name, content);
    for (const sub of new Set([...files.keys()].map((name) => path.dirname(name)))) {
      syncFolder(path.join(temporary, sub));
    }
    if (replaces) replaceFolder(temporary, target);
    else fs.renameSync(temporary, target);
    whole = true;
  } finally {
    if (!whole) fs.rmSync(temporary, { recursive: true, force: true });
  }
  syncFolder(path.dirname(target));
}

function* writingInside(folder: string, name: string, content: FileContent): Generator<undefined, void> {
  const inside = path.normalize(name);
  if (path.isAbsolute(inside) || inside.split(path.sep).includes('..')) {
    throw new Error(`internal: ${JSON.stringify(name)} leads out of the folder`);
  }
  const file = path.join(folder, inside);
  makeFolders(path.dirname(file));
  const text = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  yield* writingChunks(file, 'wx', 0o666, text instanceof Uint8Array ? [text] : text, true);
}

/** Puts `temporary` in the place of `target`; there is no one system call for it, so the old one steps aside. */
function replaceFolder(temporary: string, target: string): void {
  const old = temporaryBeside(target);
  fs.renameSync(target, old);
  try {
    fs.renameSync(temporary, target);
  } catch (error) {
    fs.renameSync(old, target);
    throw error;
  }
  fs.rmSync(old, { recursive: true, force: true });
}
