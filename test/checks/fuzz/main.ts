// `npm run test:fuzz -- --inputs N [--seed S] [--parser NAMES] [--index I]`: every parser reads inputs that are drawn at
// random from a corpus in the repository. A failure is any error but the project's own, a limit of time or memory that was
// passed, and something that was taken and says two things. Its input is written to a folder, and the words that read it
// again are printed.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { readOptions } from '../options.ts';
import { type Failed, inputOf } from './one.ts';
import type { Parser } from './parser.ts';
import { parsersOf } from './parsers/table.ts';
import type { WorkerMessage, WorkerTask } from './worker.ts';

interface Run {
  readonly parser: string;
  readonly from: number;
  readonly end: number;
}

/** Milliseconds after which an input has no end, on a machine that has other things to do. */
const NO_END = 120_000;
/** Failures after which nobody reads on. */
const ENOUGH = 50;
/** Inputs of a parser in one go: failures are seen early, and every parser has its turn. */
const TURN = 2000;

/** What became of a parser's inputs. */
export interface Tally {
  inputs: number;
  taken: number;
  seconds: number;
}

export interface FuzzResult {
  readonly tallies: ReadonlyMap<string, Tally>;
  readonly failures: readonly Failed[];
}

/** The check by its words; gives the exit code. */
export async function check(words: readonly string[]): Promise<number> {
  const { inputs, seed, parser, index, out } = readOptions(words, {
    inputs: 20_000,
    seed: Math.floor(Math.random() * 2 ** 31),
    parser: '',
    index: -1,
    out: 'out/fuzz',
  });
  const parsers = parsersOf(parser);
  const runs = index < 0 ? runsOf(parsers, inputs) : [{ parser, from: index, end: index + 1 }];
  console.log(`seed ${seed}`);
  const result = await fuzz(seed, runs, (text) => console.log(text));
  for (const failed of result.failures) console.log(`\n${told(failed, seed, save(failed, seed, out))}`);
  const { tallies, failures } = result;
  for (const [name, { inputs, taken, seconds }] of tallies) {
    console.log(`${name.padEnd(14)}${inputs} inputs, ${taken} taken, ${seconds.toFixed(1)} s`);
  }
  const all = [...tallies.values()];
  const [count, seconds] = [total(all.map((one) => one.inputs)), total(all.map((one) => one.seconds))];
  console.log(
    `${count} inputs to ${tallies.size} parsers in ${Math.round(seconds)} s: ${failures.length} failures (seed ${seed})`,
  );
  return failures.length === 0 ? 0 : 1;
}

/** Each parser's share of `inputs`, in turns. */
export function runsOf(parsers: readonly Parser[], inputs: number): readonly Run[] {
  const whole = parsers.reduce((sum, { share }) => sum + share, 0);
  const counts = parsers.map(({ share }) => Math.max(1, Math.round((inputs * share) / whole)));
  const turns = Math.ceil(Math.max(...counts) / TURN);
  return Array.from({ length: turns }, (_, turn) =>
    parsers.flatMap(({ name }, i): Run[] => {
      const [from, end] = [turn, turn + 1].map((t) => Math.floor((counts[i]! * t) / turns));
      return from! < end! ? [{ parser: name, from: from!, end: end! }] : [];
    }),
  ).flat();
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);

/** Reads all runs in a thread; one that meets an input without an end, or dies, is followed by another. */
export async function fuzz(
  seed: number,
  runs: readonly Run[],
  tell: (text: string) => void,
  file: URL = new URL('worker.mjs', import.meta.url),
): Promise<FuzzResult> {
  const tallies = new Map<string, Tally>();
  const failures: Failed[] = [];
  const take = (message: WorkerMessage): void => {
    if (message.kind === 'failed') {
      const { parser, index, what } = message.failed;
      failures.push(message.failed);
      tell(`${parser} ${index}: ${what.split('\n')[0]}`);
      return;
    }
    const { parser, inputs, taken, seconds } = message;
    const before = tallies.get(parser) ?? { inputs: 0, taken: 0, seconds: 0 };
    before.inputs += inputs;
    before.taken += taken;
    before.seconds += seconds;
    tallies.set(parser, before);
  };
  let left = runs;
  while (left.length > 0 && failures.length < ENOUGH) {
    left = await readOn({ seed, runs: left, place: new SharedArrayBuffer(8) }, take, tell, file);
  }
  return { tallies, failures };
}

/** Reads runs in one thread; gives what is left where it ended before them. */
async function readOn(
  task: WorkerTask,
  take: (message: WorkerMessage) => void,
  tell: (text: string) => void,
  file: URL,
): Promise<readonly Run[]> {
  const { runs } = task;
  const state = new Int32Array(task.place);
  const worker = new Worker(file, { workerData: task, resourceLimits: { maxOldGenerationSizeMb: 1024 } });
  let [seen, since, told, faults] = ['', performance.now(), performance.now(), 0];
  worker.on('message', (message: WorkerMessage) => {
    take(message);
    if (message.kind === 'failed' && ++faults >= ENOUGH) void worker.terminate();
  });
  const watch = setInterval(() => {
    const now = `${Atomics.load(state, 0)} ${Atomics.load(state, 1)}`;
    if (now !== seen) [seen, since] = [now, performance.now()];
    else if (performance.now() - since > NO_END) void worker.terminate();
    if (performance.now() - told < 60_000) return;
    told = performance.now();
    tell(`… ${total(behind(runs, state, 0).map(({ from, end }) => end - from))} inputs left`);
  }, 500);
  const why = await new Promise<string | null>((resolve) => {
    worker.on('error', (error) => resolve(error.message));
    worker.on('exit', (code) => resolve(code === 0 ? null : `it did not end in ${NO_END / 1000} s`));
  });
  clearInterval(watch);
  await worker.terminate();
  if (why === null) return [];
  if (faults >= ENOUGH) return behind(runs, state, 0);
  take({ kind: 'failed', failed: { parser: runs[state[0]!]!.parser, index: state[1]!, what: why } });
  return behind(runs, state, 1);
}

/** What comes `after` inputs behind the one that a thread was at. */
function behind(runs: readonly Run[], state: Int32Array, after: number): readonly Run[] {
  const [run = 0, index = 0] = state;
  const first = runs[run];
  if (first === undefined) return [];
  const rest = { ...first, from: Math.max(first.from, index + after) };
  return [...(rest.from < rest.end ? [rest] : []), ...runs.slice(run + 1)];
}

/** Writes the input of a failure; gives its path. */
function save({ parser, index }: Failed, seed: number, out: string): string {
  mkdirSync(out, { recursive: true });
  const file = path.join(out, `${parser}-${seed}-${index}`);
  writeFileSync(file, inputOf(parsersOf(parser)[0]!, seed, index));
  return file;
}

function told({ parser, index, what }: Failed, seed: number, file: string): string {
  return `${what}\n  input: ${file}\n  again: npm run test:fuzz -- --parser ${parser} --seed ${seed} --index ${index}`;
}
