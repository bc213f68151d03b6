// Runs a command once for every call that can fail, and looks at what is left each time: the right bytes or an error of the
// project's own, nothing half-written, and a run behind it that ends as if nothing had been.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { main } from '../../../cli/main.ts';
import { recordingContext } from '../../recording-context.ts';
import { changesOf, treeOf } from '../tree.ts';
import { type FaultyRun, prepare, wordsIn } from './runs.ts';

export interface Failing {
  readonly at?: number;
  readonly fault?: string;
  /** Of which calls it is one: those about files whose paths match, or methods of the GPU. Default: all. */
  readonly counted?: RegExp | undefined;
}

/** Something whose k-th call can fail. */
export interface Injector {
  /** Runs `action`; with `at`, the call of this number fails so. Gives the names of the calls that are counted. */
  watch(action: () => Promise<void>, failing?: Failing): Promise<readonly string[]>;
  faultsOf(call: string): readonly string[];
  /** Whether what a failing call was to take away may stay until the next run. */
  leaves(call: string): boolean;
  /** Whether descriptors are compared: those of a GPU are its driver's. */
  readonly counted: boolean;
  /** Exit codes of a run that a fault has ended. */
  readonly exits: readonly number[];
}

export interface SweepResult {
  readonly name: string;
  readonly calls: number;
  readonly injected: number;
  /** How often a run with a fault in it ended with each code. */
  readonly exits: ReadonlyMap<number, number>;
  readonly failures: readonly string[];
}

/**
 * Where a fault has left nothing behind, the run behind it would find what this one found: one of so many is enough to see
 * that the process itself holds, and where its next runs end before their faults, those say so.
 */
const BEHIND = 8;

/** Of a run of which only reads of data fail. */
const EXIT_OF_INPUT = 5;

/** Milliseconds in which a run with a fault in it ends, on a machine that has other things to do. */
const PATIENCE = 60_000;

interface Outcome {
  readonly exit: number;
  readonly stderr: string;
}

/** Which calls fail: from `first`, counted from 1, each `every`th. */
export interface Swept {
  readonly every: number;
  readonly first?: number;
  /** Only calls of the GPU by these methods. */
  readonly methods?: RegExp;
}

export async function sweep(
  run: FaultyRun,
  injector: Injector,
  { every, first: start = 1, methods }: Swept,
  tell: (text: string) => void,
): Promise<SweepResult> {
  const counted = methods ?? run.reads;
  const around = fs.mkdtempSync(path.join(os.tmpdir(), 'unetc-faults-'));
  /** The folder as the run finds it; at one path always, for some files say where others lie. */
  const fresh = async (): Promise<string> => {
    const folder = path.join(around, 'run');
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder);
    prepare(folder);
    for (const words of run.before) {
      const { exit, stderr } = await unetc(folder, words);
      if (exit !== 0) throw new Error(`${words.join(' ')} has exit ${exit}: ${stderr}`);
    }
    return folder;
  };
  try {
    // what a process reads once is read before calls are counted
    const whole = await fresh();
    await unetc(whole, run.words);
    const first = await fresh();
    const before = treeOf(first);
    const outcome = { exit: 0, stderr: '' };
    const calls = await injector.watch(
      async () => void Object.assign(outcome, await unetc(first, run.words)),
      { counted },
    );
    if (outcome.exit !== 0)
      throw new Error(`${run.name} without a fault has exit ${outcome.exit}: ${outcome.stderr}`);
    const expected = treeOf(first);
    const failures: string[] = [];
    const exits = new Map<number, number>();
    let injected = 0;
    for (let at = start; at <= calls.length; at += every) {
      for (const fault of injector.faultsOf(calls[at - 1]!)) {
        injected++;
        const again = injected % BEHIND === 0;
        const found = await one(
          { run, injector, at, fault, counted, again },
          await fresh(),
          before,
          expected,
        );
        exits.set(found.exit, (exits.get(found.exit) ?? 0) + 1);
        for (const text of found.faults) {
          failures.push(`${run.name}, ${fault} at call ${at} of ${calls.length}, ${found.call}: ${text}`);
          tell(failures.at(-1)!);
        }
      }
    }
    return { name: run.name, calls: calls.length, injected, exits, failures };
  } finally {
    fs.rmSync(around, { recursive: true, force: true });
  }
}

async function unetc(folder: string, words: readonly string[]): Promise<Outcome> {
  const context = recordingContext();
  const exit = await main(wordsIn(folder, words), context);
  return { exit, stderr: context.printed.stderr };
}

interface Turn extends Required<Failing> {
  readonly run: FaultyRun;
  readonly injector: Injector;
  /** Whether a run is started behind it whatever it leaves. */
  readonly again: boolean;
}

async function one(
  { run, injector, at, fault, counted, again: always }: Turn,
  folder: string,
  before: ReadonlyMap<string, string>,
  expected: ReadonlyMap<string, string>,
): Promise<{ readonly exit: number; readonly call: string; readonly faults: readonly string[] }> {
  const faults: string[] = [];
  const demand = (condition: boolean, text: string): void => {
    if (!condition) faults.push(text);
  };
  let outcome: Outcome = { exit: -1, stderr: `it did not end in ${PATIENCE / 1000} s` };
  const opened = injector.counted ? descriptors() : 0;
  const calls = await injector.watch(
    async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<Outcome>((resolve) => {
        timer = setTimeout(() => resolve(outcome), PATIENCE);
      });
      outcome = await Promise.race([unetc(folder, run.words), late]);
      clearTimeout(timer);
    },
    { at, fault, counted },
  );
  const call = calls[at - 1] ?? 'never reached';
  const { exit, stderr } = outcome;
  const exits = run.reads === undefined || fault === 'full' ? injector.exits : [EXIT_OF_INPUT];
  demand(exit === 0 || exits.includes(exit), `exit ${exit}: ${stderr.trim().slice(-1500)}`);
  demand(exit === 0 || calls.length >= at, `exit ${exit} before the fault: ${stderr.trim().slice(-600)}`);
  demand(
    exit === 0 || /^(error|warning)/m.test(stderr),
    `exit ${exit} without a word: ${stderr.slice(-300)}`,
  );
  const after = treeOf(folder);
  if (exit === 0 && run.repeatable && !injector.leaves(call)) {
    demand(same(after, expected), `exit 0, and ${changesOf(expected, after).slice(0, 4).join(', ')}`);
  }
  if (exit !== 0) {
    for (const change of changesOf(before, after)) {
      const [verb, name = ''] = change.split(/ (.*)/);
      const written = run.writes.some((own) => name === own || name.startsWith(`${own}/`));
      const temporary = /\.tmp(\/|$)/.test(name) || /\/lock(\.|$)/.test(name);
      if (injector.leaves(call) && (temporary || written)) continue;
      demand(written && !temporary, `${verb} ${name}`);
      const state = name.includes('.unetc');
      const grows = run.grows?.test(name) ?? false;
      const final = verb !== 'removed' && !state && !grows && after.get(name) !== 'folder';
      if (final && run.repeatable && written)
        demand(after.get(name) === expected.get(name), `${verb} ${name}, which is not whole`);
    }
  }
  const left = injector.counted ? descriptors() - opened : 0;
  demand(left <= 0, `${left} descriptors are left open`);
  if (always || !same(before, after)) {
    const again = await unetc(folder, run.words);
    demand(again.exit === 0, `the run behind it has exit ${again.exit}: ${again.stderr.trim().slice(-600)}`);
    const strays = changesOf(expected, treeOf(folder)).filter(
      (change) => !injector.leaves(call) || !change.startsWith('added'),
    );
    if (run.repeatable)
      demand(strays.length === 0, `the run behind it leaves ${strays.slice(0, 4).join(', ')}`);
  }
  return { exit, call, faults };
}

function same(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return changesOf(a, b).length === 0;
}

/** Descriptors that are open, where the system tells. */
function descriptors(): number {
  return process.platform === 'linux' ? fs.readdirSync('/proc/self/fd').length : 0;
}
