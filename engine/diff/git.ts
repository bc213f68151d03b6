// Reads what git has stored: the side `git:REF:PATH` of a diff, and where that lies in the working tree.

import path from 'node:path';
import { UsageError } from '../errors.ts';
import { git } from './git-call.ts';
import { explainPlace, type GitFault, type GitPlace } from './git-fault.ts';
import { realFile } from './real-file.ts';

/** `git:REF:PATH`, or null where the word is no such side. Throws UsageError where it is half of one. */
export function parseGitPlace(word: string): GitPlace | null {
  if (!word.startsWith('git:')) return null;
  const [, ref = '', path = ''] = /^git:([^:]*):(.*)$/s.exec(word) ?? [];
  if (ref === '' || path === '' || ref.startsWith('-')) {
    throw new UsageError(`found '${word}', expected git:REF:PATH, such as git:main:graphs/cifar10.json`);
  }
  return { ref, path };
}

/** What stands at a place: the bytes of a file, `folder`, or why it cannot be read. */
export function readGit(place: GitPlace): Uint8Array | 'folder' | GitFault {
  const name = `${place.ref}:${place.path}`;
  const type = git(['cat-file', '-t', name]);
  if ('fault' in type) return explainPlace(place, type.fault);
  const kind = type.output.toString('utf8').trim();
  if (kind === 'tree') return 'folder';
  if (kind !== 'blob') return { fault: `git has a ${kind} there, and no file`, missing: 'other' };
  const blob = git(['cat-file', 'blob', name]);
  if ('fault' in blob) return { ...blob, missing: 'other' };
  return isPointer(blob.output) ? { fault: pointerFault(name), missing: 'other' } : blob.output;
}

/** Where the place's file would stand in the working tree; from here outside of a repository. */
export function fileOfPlace(place: GitPlace): string {
  const relative = /^\.\.?\//.test(place.path);
  return realFile(relative ? place.path : path.join(topFolder() ?? '.', place.path));
}

/** The top folder of the working tree around the current folder; null where there is none. */
export function topFolder(): string | null {
  const answer = git(['rev-parse', '--show-toplevel']);
  return 'fault' in answer ? null : path.resolve(answer.output.toString('utf8').replace(/\r?\n$/, ''));
}

/** A path below a folder with `/`; null for one that is not below it. */
export function relativeTo(folder: string, file: string): string | null {
  const relative = path.relative(folder, file);
  const outside = relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative);
  return outside ? null : relative.split(path.sep).join('/');
}

/** What Git LFS keeps in commits in place of a file. Source: git-lfs, docs/spec.md. */
function isPointer(bytes: Uint8Array): boolean {
  return (
    bytes.length < 1024 && new TextDecoder().decode(bytes).startsWith('version https://git-lfs.github.com/')
  );
}

function pointerFault(name: string): string {
  return `git has a pointer of Git LFS there; write the file with \`git show ${name} | git lfs smudge >FILE\` and name that`;
}
