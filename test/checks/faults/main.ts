// `npm run test:faults [-- --only NAMES] [--every N] [--first K]`: each call of the file system, and each of the GPU, fails
// once in each way that it can; with N each Nth from the Kth on, so that N processes share the calls.

import { readOptions } from '../options.ts';
import { fileInjector, gpuInjector } from './injectors.ts';
import { FILE_RUNS, GPU_RUNS } from './runs.ts';
import { type SweepResult, sweep } from './sweep.ts';

/** The check by its words; gives the exit code. */
export async function check(words: readonly string[]): Promise<number> {
  const { only, every, first } = readOptions(words, { only: '', every: 1, first: 1 });
  const [files, gpu] = [fileInjector(), gpuInjector()];
  const sweeps = [
    ...FILE_RUNS.map((run) => ({ run, injector: files })),
    ...GPU_RUNS.map((run) => ({ run, injector: gpu })),
  ].filter(({ run }) => only.split(',').some((part) => run.name.includes(part)));
  const results: SweepResult[] = [];
  for (const { run, injector } of sweeps) {
    const start = performance.now();
    const result = await sweep(run, injector, { every, first }, (text) => console.log(text));
    results.push(result);
    const exits = [...result.exits].sort(([a], [b]) => a - b).map(([exit, count]) => `${count} exit ${exit}`);
    const seconds = Math.round((performance.now() - start) / 1000);
    console.log(
      `${run.name}: ${result.calls} calls, ${result.injected} faults in ${seconds} s (${exits.join(', ')}), ` +
        `${result.failures.length} failures`,
    );
  }
  const injected = results.reduce((sum, one) => sum + one.injected, 0);
  const failures = results.reduce((sum, one) => sum + one.failures.length, 0);
  console.log(`${injected} faults injected into ${results.length} runs: ${failures} failures`);
  return failures === 0 ? 0 : 1;
}
