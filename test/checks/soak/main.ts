// `npm run test:soak [-- --passes N] [--loads N] [--steps N]`: forward passes, loads and steps of training in one process,
// which must not grow.

import { readOptions } from '../options.ts';
import { grown, type Soaked, soakLoads, soakPasses, soakSteps } from './rounds.ts';

/** The check by its words; gives the exit code. */
export async function check(words: readonly string[]): Promise<number> {
  const { passes, loads, steps } = readOptions(words, { passes: 10_000, loads: 200, steps: 2_000 });
  const tell = (text: string): void => console.log(text);
  const start = performance.now();
  const checks = [
    { rounds: passes, soak: soakPasses },
    { rounds: loads, soak: soakLoads },
    { rounds: steps, soak: soakSteps },
  ];
  const found: Soaked[] = [];
  for (const { rounds, soak } of checks) if (rounds > 0) found.push(await soak(rounds, tell));
  const faults = found.flatMap(grown);
  for (const text of faults) console.log(text);
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(
    `${passes} passes, ${loads} loads and ${steps} steps in ${seconds} s: ${faults.length} failures`,
  );
  return faults.length === 0 ? 0 : 1;
}
