// One writer a folder: a lock file that names its holder, and that the death of its holder opens.
//
// A holder on this machine is alive while its process is, told from a later one with the same number by when it
// started. A holder elsewhere (another machine, another container) is alive while its lock file changes: the holder
// touches it every few seconds. No clocks of two machines are compared.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { RuntimeError } from '../../runtime/errors.ts';
import { makeFolder } from '../../runtime/host/node/files.ts';
import { OptionError } from '../errors.ts';

const holderSchema = z.strictObject({
  token: z.string(),
  /** Host, boot and process namespace: where `pid` means something. */
  place: z.string(),
  host: z.string(),
  pid: z.int(),
  /** When the process started, as its system says it; empty where that is not known. */
  started: z.string(),
  since: z.string(),
});

type Holder = z.infer<typeof holderSchema>;

export interface Lock {
  /** Throws RuntimeError('output') where another writer has taken the folder over. */
  check(): void;
  release(): void;
}

export interface LockTimes {
  /** How often a holder shows that it lives, and how long one that does not is waited for, in milliseconds. */
  readonly beat: number;
  readonly patience: number;
}

const USUAL: LockTimes = { beat: 4000, patience: 15000 };

/**
 * Takes the lock at `file`, whose folder is made where it is missing.
 * @throws RuntimeError('output') that names the holder where there is a living one
 */
export async function takeLock(file: string, subject: string, times: LockTimes = USUAL): Promise<Lock> {
  const mine = describeSelf();
  for (;;) {
    makeFolder(path.dirname(file));
    if (create(file, mine)) {
      const lock = held(file, mine, subject, times);
      try {
        removeStrays(file);
      } catch (error) {
        lock.release();
        throw error;
      }
      return lock;
    }
    const found = read(file);
    if (found === null) continue;
    if (await isAlive(file, found, mine, times)) throw taken(subject, found.holder);
    breakLock(file, found.text);
  }
}

/** Throws as `takeLock` does where a process of this machine holds the lock. Takes nothing. */
export function refuseHeld(file: string, subject: string): void {
  const found = read(file);
  const mine = describeSelf();
  if (found?.holder?.place === mine.place && isRunning(found.holder)) throw taken(subject, found.holder);
}

function held(file: string, mine: Holder, subject: string, times: LockTimes): Lock {
  const isMine = (): boolean => read(file)?.holder?.token === mine.token;
  const timer = setInterval(() => {
    try {
      if (isMine()) fs.utimesSync(file, new Date(), new Date());
    } catch {}
  }, times.beat);
  timer.unref();
  return {
    check() {
      if (!isMine()) throw taken(subject, read(file)?.holder ?? null);
    },
    release() {
      clearInterval(timer);
      let mineStill = true;
      try {
        mineStill = isMine();
      } catch {
        // a lock that cannot be read was this process's when it was last looked at, and must not outlive it
      }
      if (mineStill) remove(file);
    },
  };
}

/** Removes a lock, which would outlive its holder; where the system refuses once it is asked again. */
function remove(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch {
    fs.rmSync(file, { force: true });
  }
}

function taken(subject: string, holder: Holder | null): OptionError {
  const who =
    holder === null ? 'another process' : `process ${holder.pid} on ${holder.host}, since ${holder.since},`;
  return new OptionError(
    'output',
    (option) =>
      `${subject}: ${who} is writing there; wait for it, stop it, or name another folder with ${option('output')}`,
  );
}

/** Makes the lock with its whole text at once, or returns false where there is one, or where one has just come. */
function create(file: string, mine: Holder): boolean {
  const temporary = `${file}.${mine.token}`;
  try {
    fs.writeFileSync(temporary, JSON.stringify(mine));
    fs.linkSync(temporary, file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // a process that has taken the lock in between removes what it takes for left behind
    if (code === 'EEXIST' || (code === 'ENOENT' && !fs.existsSync(temporary))) return false;
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS') {
      return createWithoutLinks(file, mine);
    }
    throw error;
  } finally {
    try {
      fs.rmSync(temporary, { force: true });
    } catch {
      // the lock stands, or does not, all the same; the next holder removes what is left
    }
  }
}

/**
 * Removes what processes that were killed while they took or broke the lock have left beside it. A process that is about
 * to take it loses its file to this too, and finds the lock taken.
 */
function removeStrays(file: string): void {
  const stray = new RegExp(`^${path.basename(file)}\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`);
  const folder = path.dirname(file);
  for (const name of fs.readdirSync(folder)) {
    if (stray.test(name)) fs.rmSync(path.join(folder, name), { force: true });
  }
}

/** For file systems without hard links. */
function createWithoutLinks(file: string, mine: Holder): boolean {
  try {
    fs.writeFileSync(file, JSON.stringify(mine), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

interface Found {
  readonly text: string;
  /** Null where the text is not a holder's. */
  readonly holder: Holder | null;
  readonly changed: number;
}

function read(file: string): Found | null {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  // a pipe would be waited for
  if (!stat.isFile()) {
    throw new RuntimeError('output', `${file}: this is no lock but a link, a folder or a device; remove it`);
  }
  try {
    const text = fs.readFileSync(file, 'utf8');
    return { text, holder: parse(text), changed: fs.statSync(file).mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function parse(text: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

async function isAlive(file: string, found: Found, mine: Holder, times: LockTimes): Promise<boolean> {
  if (found.holder?.place === mine.place) return isRunning(found.holder);
  const until = performance.now() + times.patience;
  while (performance.now() < until) {
    await sleep(Math.min(times.beat / 4, 500));
    const now = read(file);
    if (now === null || now.text !== found.text) return false;
    if (now.changed !== found.changed) return true;
  }
  return false;
}

function isRunning({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const { state, start } = processOf(pid);
  // a zombie has ended, though nobody has asked how
  return state !== 'Z' && started === start;
}

/** Takes away the lock that was looked at, and no other that has come since. */
function breakLock(file: string, text: string): void {
  const aside = `${file}.${crypto.randomUUID()}`;
  try {
    fs.renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // a process that has taken the lock in between may have removed the file already
  try {
    if (fs.readFileSync(aside, 'utf8') !== text) fs.linkSync(aside, file);
  } catch {}
  fs.rmSync(aside, { force: true });
}

function describeSelf(): Holder {
  const host = os.hostname();
  return {
    token: crypto.randomUUID(),
    place: [host, readText('/proc/sys/kernel/random/boot_id'), readLink('/proc/self/ns/pid')].join(' '),
    host,
    pid: process.pid,
    started: processOf(process.pid).start,
    since: new Date().toISOString(),
  };
}

/** The state of a process, and the clock ticks from boot to its start; empty where there is no /proc. */
function processOf(pid: number): { readonly state: string; readonly start: string } {
  // the second field is a name in brackets that may hold anything; state and start are the first and twentieth behind it
  const fields = readText(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  return { state: fields[0] ?? '', start: fields[19] ?? '' };
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

function readLink(file: string): string {
  try {
    return fs.readlinkSync(file);
  } catch {
    return '';
  }
}
