// Runs git in the current folder.

import { spawnSync } from 'node:child_process';

/** What git printed, or why there is nothing. */
export type GitAnswer = { readonly output: Buffer } | { readonly fault: string };

const LARGEST = 2 ** 31 - 1;

/** Runs git here. What it says of a failure is its last line, without `fatal:`. */
export function git(words: readonly string[]): GitAnswer {
  // messages are read here, whatever the user's language
  const env = { ...process.env, GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' };
  const { error, status, stdout, stderr } = spawnSync('git', words, { maxBuffer: LARGEST, env });
  if (error) {
    const missing = 'code' in error && error.code === 'ENOENT';
    return { fault: missing ? 'git is not installed, or not on the PATH' : error.message };
  }
  if (status === 0) return { output: stdout };
  const said = stderr.toString('utf8').trim().split('\n').at(-1) ?? '';
  return { fault: `git says: ${said.replace(/^fatal: /, '') || `exit ${status}`}` };
}
