// `npm run test:hostile [-- --only NAMES] [--jobs N]`: every case of the table as a process.

import { readOptions } from '../options.ts';
import { type Ran, runCase, toldRan } from './run.ts';
import { CASES } from './table.ts';

/** The check by its words; gives the exit code. */
export async function check(words: readonly string[]): Promise<number> {
  const { only, jobs } = readOptions(words, { only: '', jobs: 2 });
  const cases = CASES.filter(({ name }) => only.split(',').some((part) => name.includes(part)));
  const start = performance.now();
  const ran: Ran[] = [];
  const left = [...cases];
  const next = async (): Promise<void> => {
    for (let found = left.shift(); found !== undefined; found = left.shift()) {
      const one = await runCase(found);
      ran.push(one);
      if (one.faults.length > 0 || one.skipped !== null) console.log(`\n${toldRan(one)}`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, next));
  const failed = ran.filter(({ faults }) => faults.length > 0);
  const slowest = Math.max(...ran.map(({ outcome }) => outcome.seconds));
  const largest = Math.max(...ran.map(({ outcome }) => outcome.megabytes));
  console.log(
    `\n${ran.length} cases in ${Math.round((performance.now() - start) / 1000)} s, the slowest ${slowest.toFixed(1)} s, ` +
      `the largest ${Math.round(largest)} MB: ${failed.length} failures`,
  );
  return failed.length === 0 ? 0 : 1;
}
