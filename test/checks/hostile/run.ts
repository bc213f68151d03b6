// Runs a case: a process in a folder of its own, and everything that has to hold behind it.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { changesOf, treeOf } from '../tree.ts';
import { MAIN, type Watched, watched } from '../watched.ts';
import { type HostileCase, lay } from './case.ts';

export interface Ran {
  readonly found: HostileCase;
  readonly outcome: Watched;
  /** What does not hold; empty where all is well. */
  readonly faults: readonly string[];
  /** Why it was not run; null where it was. */
  readonly skipped: string | null;
}

/** What no input may bring a terminal to do. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
/** A message is for a person. */
const MOST_LINES = 60;
const MOST_CHARACTERS = 20_000;

/** Runs a case in a folder that is made for it and removed. */
export async function runCase(found: HostileCase): Promise<Ran> {
  const around = fs.mkdtempSync(path.join(os.tmpdir(), 'unetc-hostile-'));
  const folder = path.join(around, 'a', 'b');
  fs.mkdirSync(folder, { recursive: true });
  fs.mkdirSync(path.join(around, 'home'));
  // what lies beside must stay as it is
  for (const place of ['victim.txt', 'a/victim.txt']) fs.writeFileSync(path.join(around, place), 'stays');
  try {
    lay(found.files, folder);
    const user = Object.keys(found.modes).length === 0 ? undefined : otherUser(around);
    if (typeof user === 'string') return { found, outcome: NOT_RUN, faults: [], skipped: user };
    const before = treeOf(around);
    const restored = Object.keys(found.modes).map((name) => restoring(path.join(folder, name)));
    for (const [name, mode] of Object.entries(found.modes)) fs.chmodSync(path.join(folder, name), mode);
    const env = {
      HOME: path.join(around, 'home'),
      TMPDIR: path.join(around, 'home'),
      MESA_SHADER_CACHE_DIR: shaders(),
    };
    const outcome = await watched(found.words, {
      cwd: folder,
      patience: Math.max(100, 5 * found.seconds),
      env,
      user,
    });
    for (const restore of restored) restore();
    const changes = changesOf(before, treeOf(around));
    return { found, outcome, faults: faultsOf(found, outcome, changes), skipped: null };
  } finally {
    fs.rmSync(around, { recursive: true, force: true });
  }
}

const NOT_RUN: Watched = { exit: null, signal: null, stdout: '', stderr: '', seconds: 0, megabytes: 0 };

function restoring(file: string): () => void {
  const { mode } = fs.statSync(file);
  return () => fs.chmodSync(file, mode & 0o777);
}

/** The number that most systems know as nobody. */
const NOBODY = 65_534;

/**
 * Who a process is to be so that modes hold for it, with the folder given to that user: undefined for the user that this
 * is. A text says why there is none.
 */
function otherUser(around: string): number | undefined | string {
  if (process.getuid === undefined) return 'files have no modes here';
  if (process.getuid() !== 0) return undefined;
  const { status } = spawnSync(
    process.execPath,
    ['-e', `require('fs').accessSync(${JSON.stringify(MAIN)}, 4)`],
    {
      uid: NOBODY,
      gid: NOBODY,
      stdio: 'ignore',
    },
  );
  if (status !== 0) return 'nobody may not read the build; run the check as another user than root';
  for (const name of fs.readdirSync(around, { recursive: true, encoding: 'utf8' })) {
    fs.lchownSync(path.join(around, name), NOBODY, NOBODY);
  }
  fs.chownSync(around, NOBODY, NOBODY);
  return NOBODY;
}

/** Where Mesa keeps what it compiles, for all cases together. */
function shaders(): string {
  return process.env.MESA_SHADER_CACHE_DIR ?? path.join(os.homedir(), '.cache');
}

function faultsOf(found: HostileCase, outcome: Watched, changes: readonly string[]): string[] {
  const { exit, stdout, stderr, seconds, megabytes } = outcome;
  const faults: string[] = [];
  const demand = (condition: boolean, what: string): void => {
    if (!condition) faults.push(what);
  };
  demand(exit === found.exit, `exit ${exit ?? outcome.signal}, expected ${found.exit}`);
  const told = found.words.includes('--json')
    ? `${stdout}${stderr}`
    : stderr + (exit === 0 || exit === 1 ? stdout : '');
  for (const text of found.says) demand(told.includes(text), `it does not say ${JSON.stringify(text)}`);
  demand(seconds < found.seconds, `${seconds.toFixed(1)} s, at most ${found.seconds}`);
  demand(megabytes < found.megabytes, `${Math.round(megabytes)} MB, at most ${found.megabytes}`);
  const lines = stderr.split('\n').length;
  demand(
    lines <= MOST_LINES && stderr.length <= MOST_CHARACTERS,
    `${lines} lines, ${stderr.length} characters of stderr`,
  );
  for (const text of [stdout, stderr])
    demand(!STEERING.test(text), `it prints ${JSON.stringify(STEERING.exec(text)?.[0])}`);
  if (found.words.includes('--json')) demand(isJson(stdout), 'stdout is no JSON document');
  const stray = changes.filter((change) => {
    const name = change.replace(/^\w+ (?:a\/b\/)?/, '');
    return !found.writes.some((written) => name === written || name.startsWith(`${written}/`));
  });
  demand(stray.length === 0, `what lies around it: ${stray.slice(0, 5).join(', ')}`);
  return faults;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What became of a case that does not hold, or was not run, for a person. */
export function toldRan({ found, outcome, faults, skipped }: Ran): string {
  if (skipped !== null) return `${found.name}: not run, ${skipped}`;
  const { stderr, stdout } = outcome;
  const end = (text: string): string => text.trim().split('\n').slice(0, 6).join('\n    ').slice(0, 1200);
  return `${found.name}: unetc ${found.words.join(' ')}\n  ${faults.join('\n  ')}\n    ${end(stderr) || end(stdout)}`;
}
