// The pictures below a folder, in the original's order: entries of each folder sorted by their names' code points, folders
// where they stand among them. Links are followed, for data sets are often laid out by them; one that leads back to a
// folder that it lies in is left out.

import fs from 'node:fs';
import path from 'node:path';
import { RuntimeError } from '../../runtime/errors.ts';
import { guarded } from '../../runtime/host/node/system-faults.ts';

/** A file that was left out of the data, and why. */
export interface Skipped {
  readonly file: string;
  /** What was found, what was expected, what to do. */
  readonly reason: string;
}

export interface PictureFiles {
  /** Paths below the folder, parts joined by `/`. */
  readonly files: readonly string[];
  readonly skipped: readonly Skipped[];
  /** Other files, by their extensions in lower case. */
  readonly others: ReadonlyMap<string, number>;
}

/** The original's extensions. */
const PICTURE = /\.(jpe?g|png|gif)$/i;
const DEEPEST = 64;

/**
 * Lists without opening a picture. Throws RuntimeError('input') where a folder cannot be read, or where the system does not say
 * what a link leads to: it may be the folder of a class, and without it others would have its number.
 */
export function listPictures(folder: string): PictureFiles {
  const files: string[] = [];
  const skipped: Skipped[] = [];
  const others = new Map<string, number>();
  const enter = (below: string, above: readonly string[]): void => {
    const here = path.join(folder, below);
    const entries = asked(here, () => fs.readdirSync(here, { withFileTypes: true }));
    for (const entry of sortedByCodePoint(entries)) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      const file = path.join(folder, name);
      const kind = kindOf(entry, file);
      if (kind === 'folder') {
        const real = entry.isSymbolicLink()
          ? asked(file, () => fs.realpathSync(file))
          : path.join(above.at(-1)!, entry.name);
        if (above.includes(real) || above.length > DEEPEST) {
          skipped.push({
            file,
            reason: 'it leads back to a folder that it lies in, or too deep; remove the link',
          });
        } else enter(name, [...above, real]);
      } else if (!PICTURE.test(entry.name)) {
        const extension = path.extname(entry.name).toLowerCase();
        others.set(extension, (others.get(extension) ?? 0) + 1);
      } else if (kind === 'file') files.push(name);
      else if (kind === 'missing')
        skipped.push({ file, reason: 'the link leads nowhere; mend or remove it' });
      else
        skipped.push({ file, reason: 'it is no regular file but a pipe, a socket or a device; remove it' });
    }
  };
  enter('', [asked(folder, () => fs.realpathSync(folder))]);
  return { files, skipped, others };
}

function kindOf(entry: fs.Dirent, file: string): 'file' | 'folder' | 'other' | 'missing' {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  if (!entry.isSymbolicLink()) return 'other';
  const stat = asked(file, () => target(file));
  if (stat === undefined) return 'missing';
  return stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other';
}

/** What a link leads to; undefined for nothing, as at the end of a circle of links. */
function target(link: string): fs.Stats | undefined {
  try {
    return fs.statSync(link, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') return undefined;
    throw error;
  }
}

function asked<T>(label: string, ask: () => T): T {
  return guarded({ kind: 'input', label }, ask);
}

/** As Python sorts texts; JavaScript would sort by halves of surrogate pairs. */
function sortedByCodePoint(entries: readonly fs.Dirent[]): readonly fs.Dirent[] {
  const keyed = entries.map((entry) => ({ entry, key: Buffer.from(entry.name) }));
  return keyed.sort((a, b) => Buffer.compare(a.key, b.key)).map(({ entry }) => entry);
}

/** Where the label of a picture comes from: its name up to the first `_`, or the folder that it lies in. */
export type LabelSource = 'names' | 'folders';

export interface NamedLabels {
  readonly ids: Int32Array;
  /** By id: distinct names, sorted by code points, as the original sorts them. */
  readonly names: readonly string[];
}

/**
 * The labels of pictures. With `folders` the first folder of a path counts, however deep the picture lies.
 * Throws RuntimeError('input') where a picture lies in none.
 */
export function labelsOfFiles(folder: string, files: readonly string[], source: LabelSource): NamedLabels {
  const texts = files.map((file) => {
    if (source === 'names') return file.slice(file.lastIndexOf('/') + 1).split('_')[0]!;
    if (file.includes('/')) return file.slice(0, file.indexOf('/'));
    throw new RuntimeError(
      'input',
      `${path.join(folder, file)}: labels are to be the names of folders, and this picture lies in none; move it into the ` +
        "folder of its class, or take labels from the files' names",
    );
  });
  const names = [...new Set(texts)]
    .map((name) => ({ name, key: Buffer.from(name) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ name }) => name);
  const ids = new Map(names.map((name, id) => [name, id]));
  return { ids: Int32Array.from(texts, (text) => ids.get(text)!), names };
}
