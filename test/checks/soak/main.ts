// `npm run test:soak [-- --passes N] [--loads N]`: forward passes and loads in one process, which must not grow.

import v8 from 'node:v8';
import vm from 'node:vm';
import { readOptions } from '../options.ts';
import { grown, soakLoads, soakPasses } from './rounds.ts';

/** The check by its words; gives the exit code. */
export async function check(words: readonly string[]): Promise<number> {
  const { passes, loads } = readOptions(words, { passes: 10_000, loads: 200 });
  // memory is compared behind a collection of garbage
  v8.setFlagsFromString('--expose-gc');
  global.gc = vm.runInNewContext('gc');
  const tell = (text: string): void => console.log(text);
  const start = performance.now();
  const found = [await soakPasses(passes, tell), await soakLoads(loads, tell)];
  const faults = found.flatMap(grown);
  for (const text of faults) console.log(text);
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`${passes} passes and ${loads} loads in ${seconds} s: ${faults.length} failures`);
  return faults.length === 0 ? 0 : 1;
}
