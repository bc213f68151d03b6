// `npm run test:kill [-- --kills N] [--only NAMES] [--seed S]`: processes that are killed at random moments, and what becomes
// of their work. A seed determines the moments as shares of an undisturbed run; what a process does in them is its own.

import { randomOf } from '../fuzz/random.ts';
import { readOptions } from '../options.ts';
import { killRounds } from './rounds.ts';
import { KILLED_RUNS } from './runs.ts';

/** The check by its words; gives the exit code. */
export async function check(words: readonly string[]): Promise<number> {
  const usual = { kills: 40, only: '', seed: Math.floor(Math.random() * 2 ** 31) };
  const { kills, only, seed } = readOptions(words, usual);
  console.log(`seed ${seed}`);
  const runs = KILLED_RUNS.filter(({ name }) => only.split(',').some((part) => name.includes(part)));
  const shares = runs.reduce((sum, { share }) => sum + share, 0);
  const start = performance.now();
  let [reached, failed] = [0, 0];
  for (const run of runs) {
    const numbers = randomOf(seed, run.name, 0);
    const moment = (): number => numbers.below(2 ** 30) / 2 ** 30;
    const result = await killRounds(run, Math.max(1, Math.round((kills * run.share) / shares)), moment);
    for (const text of result.failures) console.log(text);
    const told = [...result.kills].map(([signal, count]) => `${count} ${signal}`).join(', ');
    console.log(`${result.name}: ${told}; ${result.ended} runs ended with the bytes of the undisturbed one`);
    reached += [...result.kills.values()].reduce((sum, count) => sum + count, 0);
    failed += result.failures.length;
  }
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`${reached} kills over ${runs.length} runs in ${seconds} s: ${failed} failures (seed ${seed})`);
  return failed === 0 ? 0 : 1;
}
