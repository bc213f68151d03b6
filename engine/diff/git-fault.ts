// Why git cannot show something, and the command that mends it: a branch that a shallow clone does not have, a path that is
// meant from here, a path that the commit does not have.

import { git } from './git-call.ts';

/** A file or folder in a commit. */
export interface GitPlace {
  readonly ref: string;
  /** From the top of the repository; with `./` or `../` in front, from here, as git has it. */
  readonly path: string;
}

/** Why a place cannot be read. `path`: the commit is there, and has nothing at that path. */
export interface GitFault {
  readonly fault: string;
  readonly missing: 'path' | 'other';
}

/** Explains why nothing can be read at a place. `said` is what git said. */
export function explainPlace({ ref, path }: GitPlace, said: string): GitFault {
  const other = (fault: string): GitFault => ({ fault, missing: 'other' });
  const repository = git(['rev-parse', '--git-dir']);
  if ('fault' in repository) return other(outside(repository.fault));
  if (!isCommit(ref)) return other(missingRef(ref));
  if (has(`${ref}:${path}`)) return other(said);
  // git takes a path from the top of the repository, whatever folder it is called in
  if (!/^\.\.?\//.test(path) && has(`${ref}:./${path}`)) {
    return other(
      `${ref} has no ${path} at the top of the repository, where git looks; from this folder it is git:${ref}:./${path}`,
    );
  }
  return { fault: `${ref} has no file or folder ${path}`, missing: 'path' };
}

/** Whether a name is a commit that this clone has. */
export function isCommit(ref: string): boolean {
  return 'output' in git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]);
}

/** What to say of a commit that is not here: in a clone that was cut short, the fetch to run. */
export function missingRef(ref: string): string {
  const shallow = isShallow();
  const clone = shallow ? 'this clone, which is shallow,' : 'this repository';
  const fetch = fetchOf(ref, shallow);
  if (fetch !== null) return `${clone} does not have ${ref}; run: ${fetch}`;
  return `${clone} does not have ${ref}; see \`git branch --all\` and \`git tag\` for what it has`;
}

/** The fetch of all commits between a base and here, in which both have one in common. */
export function historyFetch(ref: string): string {
  const refspec = refspecOf(ref);
  const [remote = 'origin', what = ''] = refspec ?? [];
  const unshallow = isShallow() ? '--unshallow ' : '';
  return `git fetch ${unshallow}${remote}${what === '' ? '' : ` ${what}`}`;
}

/** Whether this clone has no history beyond some commits. */
export function isShallow(): boolean {
  const answer = git(['rev-parse', '--is-shallow-repository']);
  return 'output' in answer && answer.output.toString('utf8').trim() === 'true';
}

/** `origin/main` and `main` are fetched to where their names will find them, a commit by its hash. */
function fetchOf(ref: string, shallow: boolean): string | null {
  if (shallow && /^(HEAD|@)[~^]/.test(ref)) return 'git fetch --unshallow';
  const refspec = refspecOf(ref);
  if (refspec === null) return null;
  const [remote, what] = refspec;
  // what is below a branch's head is not in its newest commit
  const depth = !shallow ? '' : /[~^@]/.test(ref) ? '--unshallow ' : '--depth=1 ';
  return `git fetch ${depth}${remote} ${what}`;
}

/** The remote that has a ref, and what to ask it for; null where no remote is known. */
function refspecOf(ref: string): readonly [remote: string, what: string] | null {
  const listed = git(['remote']);
  const remotes = 'fault' in listed ? [] : listed.output.toString('utf8').split('\n').filter(Boolean);
  const first = remotes.includes('origin') ? 'origin' : remotes[0];
  if (first === undefined) return null;
  const name = ref.replace(/[~^@].*$/, '').replace(/^refs\/(remotes|heads)\//, '');
  if (/^[0-9a-f]{40}$/.test(name)) return [first, name];
  const remote = remotes.find((one) => name.startsWith(`${one}/`));
  if (remote !== undefined) {
    const branch = name.slice(remote.length + 1);
    return [remote, `+refs/heads/${branch}:refs/remotes/${remote}/${branch}`];
  }
  if (/^refs\/tags\/|^v?\d/.test(name)) return [first, `tag ${name.replace('refs/tags/', '')}`];
  return /^(HEAD|FETCH_HEAD|)$/.test(name) ? null : [first, `${name}:${name}`];
}

function has(object: string): boolean {
  return 'output' in git(['cat-file', '-e', object]);
}

function outside(fault: string): string {
  return fault.startsWith('git says: not a git repository')
    ? 'this folder is in no git repository; go to one, or name files'
    : fault;
}
