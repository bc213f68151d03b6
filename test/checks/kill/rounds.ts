// Kills a run at random moments, again and again, each time going on with what the last one left.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { MAIN } from '../watched.ts';
import { filesOf, type KilledRun, layFolder } from './runs.ts';

export interface KillResult {
  readonly name: string;
  /** Processes that a signal reached while they ran, by signal. */
  readonly kills: ReadonlyMap<NodeJS.Signals, number>;
  /** Runs that came to their end, most of them after some that were killed. */
  readonly ended: number;
  readonly failures: readonly string[];
}

/** Of ten kills, two ask first. */
const SIGNALS: readonly NodeJS.Signals[] = [
  ...(['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGTERM'] as const),
  ...(['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGINT'] as const),
];
const EXITS: Readonly<Record<string, number>> = { SIGTERM: 143, SIGINT: 130 };

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Kills `run` until `kills` signals have reached it. `random` gives moments, from 0 to 1 of an undisturbed run. */
export async function killRounds(run: KilledRun, kills: number, random: () => number): Promise<KillResult> {
  const around = fs.mkdtempSync(path.join(os.tmpdir(), 'unetc-kill-'));
  try {
    const whole = path.join(around, 'whole');
    layFolder(run, whole);
    const begin = performance.now();
    const undisturbed = await start(run, whole, null);
    const duration = performance.now() - begin;
    if (undisturbed.code !== 0)
      throw new Error(`${run.name} has exit ${undisturbed.code}: ${undisturbed.stderr}`);
    const expected = filesOf(whole);
    const reached = new Map<NodeJS.Signals, number>();
    const failures: string[] = [];
    let [count, ended, turn] = [0, 0, 0];
    let folder = '';
    const go = async (signal: NodeJS.Signals | null): Promise<void> => {
      if (folder === '') {
        folder = path.join(around, `run${turn++}`);
        layFolder(run, folder);
      }
      const before = filesOf(folder);
      const found = await start(run, folder, signal === null ? null : { signal, after: random() * duration });
      const was = found.signal ?? (found.code === 0 ? 'its end' : `exit ${found.code}`);
      const demand = (condition: boolean, text: string): void => {
        if (!condition) failures.push(`${run.name}, ${was}: ${text}`);
      };
      const asked = signal !== null && found.code === EXITS[signal];
      if (found.code === 0) ended++;
      else if (signal !== null && (asked || found.signal === signal)) {
        count++;
        reached.set(signal, (reached.get(signal) ?? 0) + 1);
      }
      demand(found.code === 0 || found.signal === signal || asked, found.stderr.slice(-600));
      check(run, expected, before, filesOf(folder), found, demand);
      if (found.code !== 0) return;
      fs.rmSync(folder, { recursive: true });
      folder = '';
    };
    for (let i = 0; count < kills; i++) await go(SIGNALS[i % SIGNALS.length]!);
    await go(null);
    return { name: run.name, kills: reached, ended, failures };
  } finally {
    fs.rmSync(around, { recursive: true, force: true });
  }
}

/** What is there after a run: no final name without all of its bytes, whatever ended it. */
function check(
  run: KilledRun,
  expected: ReadonlyMap<string, Uint8Array>,
  before: ReadonlyMap<string, Uint8Array>,
  found: ReadonlyMap<string, Uint8Array>,
  { code, signal }: Ended,
  demand: (condition: boolean, text: string) => void,
): void {
  const killed = signal === 'SIGKILL';
  for (const [name, content] of found) {
    const temporary = name.endsWith('.tmp');
    const state = name.includes('.unetc');
    // a process that is killed takes nothing away; whoever is asked to stop leaves no lock and nothing half-written
    if (temporary || /\/lock(\.|$)/.test(name)) {
      // one that is asked before it has come so far leaves what an earlier one was killed over
      const inherited = code !== 0 && isSame(before.get(name), content);
      demand(inherited || killed || (!run.resumes && code === 0), `${name} is left behind`);
      continue;
    }
    if (state) {
      demand(code !== 0, `${name} is left behind`);
      continue;
    }
    if (code !== 0 && run.grows?.(name)) continue;
    const whole = expected.get(name);
    demand(
      whole !== undefined && run.same(name, whole, content),
      `${name} is not as an undisturbed run writes it`,
    );
  }
  if (code !== 0) return;
  for (const name of expected.keys()) demand(found.has(name), `${name} is missing`);
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}

function start(
  run: KilledRun,
  cwd: string,
  kill: { readonly signal: NodeJS.Signals; readonly after: number } | null,
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...run.words], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const timer = kill && setTimeout(() => child.kill(kill.signal), kill.after);
  // one that was asked and does not end
  const late = setTimeout(() => child.kill('SIGKILL'), 300_000);
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      if (timer) clearTimeout(timer);
      clearTimeout(late);
      resolve({ code, signal, stderr });
    });
  });
}
