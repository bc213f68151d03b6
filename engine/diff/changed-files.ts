// Which files that patterns name are other than where this branch began: git's own list, with renames followed.

import path from 'node:path';
import { UsageError } from '../errors.ts';
import { isGraphName } from './file-kind.ts';
import { relativeTo, topFolder } from './git.ts';
import { git } from './git-call.ts';
import { historyFetch, isCommit, isShallow, missingRef } from './git-fault.ts';

/** Where this branch began. */
export interface Base {
  /** As it was named. */
  readonly ref: string;
  /** The last commit that it has in common with HEAD. */
  readonly commit: string;
  /** Top folder of the working tree. */
  readonly top: string;
}

/** A file that came, went or changed, by its paths from the top; null where a side does not have it. */
export interface ChangedFile {
  readonly before: string | null;
  readonly after: string | null;
  /** Whether the patterns name it as it is called now; a file that left them was named before. */
  readonly named: boolean;
}

/** Files of which so much is the same are one that was renamed. */
const SIMILAR = '-M40%';

/** Finds where this branch began. Throws UsageError where that cannot be told, with the fetch that mends it. */
export function findBase(ref: string): Base {
  const top = topFolder();
  if (top === null) {
    throw new UsageError(
      (option) => `${option('base')}: this folder is in no working tree of git; go to one, or name two sides`,
    );
  }
  if (ref === '' || ref.startsWith('-') || !isCommit(ref)) {
    throw new UsageError((option) => `${option('base')}: ${missingRef(ref)}`);
  }
  const common = git(['merge-base', ref, 'HEAD']);
  if ('fault' in common) {
    throw new UsageError((option) => {
      const found = `${option('base')}: ${ref} and HEAD have no commit in common`;
      if (!isShallow()) return `${found}; name the branch that this one began from`;
      return `${found} in this clone, which is shallow; run: ${historyFetch(ref)}`;
    });
  }
  return { ref, commit: said(common), top };
}

/**
 * The files called as graphs are that differ between the base and the working tree, in the order of their paths. Patterns
 * are git's, from here. Throws UsageError where they name no file on either side: a gate that looks at nothing must not
 * pass.
 */
export function changedFiles({ commit, top }: Base, patterns: readonly string[]): readonly ChangedFile[] {
  const named = new Set(lines(['diff', '--no-renames', '--name-only', ...PLAIN, commit, '--', ...patterns]));
  // the same files with renames followed, which may lead out of the patterns
  const tokens = lines([
    ...['diff', SIMILAR, '-l0', '--name-status', ...PLAIN, commit, '--'],
    ...['json', 'ts', 'mts', 'cts'].map((end) => `:(top,icase)*.${end}`),
  ]);
  const fresh = lines(['ls-files', '--others', '--exclude-standard', '--full-name', '-z', '--', ...patterns]);
  const changed = [...pairs(tokens), ...fresh.map((after) => ({ before: null, after }))].flatMap(
    ({ before, after }): readonly ChangedFile[] => {
      const [was, is] = [before, after].map(
        (file) => file !== null && (named.has(file) || fresh.includes(file)),
      );
      if (!was && !is) return [];
      const sides = [before, after].map((file) => (file !== null && isGraphName(file) ? file : null));
      const [from = null, to = null] = sides;
      return from === null && to === null ? [] : [{ before: from, after: to, named: is === true }];
    },
  );
  if (named.size + fresh.length === 0 && lines(['ls-files', '-z', '--', ...patterns]).length === 0) {
    throw new UsageError(
      `no file here or at the base is called ${patterns.join(' or ')}; patterns are git's, from this folder (${relativeTo(top, path.resolve()) || '.'})`,
    );
  }
  return changed.toSorted((x, y) => ((x.after ?? x.before!) < (y.after ?? y.before!) ? -1 : 1));
}

/** Nothing that a user's set-up says of diffs counts; paths are from the top, each with a zero byte behind it. */
const PLAIN = ['-z', '--no-relative', '--no-ext-diff', '--no-textconv', '--ignore-submodules=all'] as const;

/** What `--name-status -z` lists: a letter and a path, or for a rename a letter with a number and two. */
function pairs(
  tokens: readonly string[],
): readonly { readonly before: string | null; readonly after: string | null }[] {
  const found: { before: string | null; after: string | null }[] = [];
  for (let i = 0; i < tokens.length; ) {
    const letter = tokens[i++]![0];
    const first = tokens[i++]!;
    if (letter === 'R' || letter === 'C')
      found.push({ before: letter === 'R' ? first : null, after: tokens[i++]! });
    else found.push({ before: letter === 'A' ? null : first, after: letter === 'D' ? null : first });
  }
  return found;
}

function lines(words: readonly string[]): readonly string[] {
  const answer = git(words);
  if ('fault' in answer) throw new UsageError(answer.fault);
  return answer.output
    .toString('utf8')
    .split('\0')
    .filter((token) => token !== '');
}

function said({ output }: { readonly output: Buffer }): string {
  return output.toString('utf8').trim();
}
