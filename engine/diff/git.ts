// Reads what git has stored: the side `git:REF:PATH` of a diff.

import { spawnSync } from 'node:child_process';
import { UsageError } from '../errors.ts';

/** A file or folder in a commit. */
export interface GitPlace {
  readonly ref: string;
  /** From the top of the repository; with `./` in front, from here. */
  readonly path: string;
}

const LARGEST = 2 ** 31 - 1;

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
export function readGit({ ref, path }: GitPlace): Uint8Array | 'folder' | { readonly fault: string } {
  const name = `${ref}:${path}`;
  const type = git(['cat-file', '-t', name]);
  if ('fault' in type) return type;
  const kind = type.output.toString('utf8').trim();
  if (kind === 'tree') return 'folder';
  const blob = git(['cat-file', 'blob', name]);
  return 'fault' in blob ? blob : blob.output;
}

function git(words: readonly string[]): { readonly output: Buffer } | { readonly fault: string } {
  const { error, status, stdout, stderr } = spawnSync('git', words, { maxBuffer: LARGEST });
  if (error) {
    const missing = 'code' in error && error.code === 'ENOENT';
    return { fault: missing ? 'git is not installed, or not on the PATH' : error.message };
  }
  if (status === 0) return { output: stdout };
  const said = stderr.toString('utf8').trim().split('\n').at(-1) ?? '';
  return { fault: `git says: ${said.replace(/^fatal: /, '') || `exit ${status}`}` };
}
