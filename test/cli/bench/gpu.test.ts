// The hour on a GPU: what is planned, what a folder of results remembers, and kernels whose drivers crash.

import fs from 'node:fs';
import { expect, test } from 'vitest';
import { type ExperimentRun, readResults, runExperiments } from '../../../cli/bench/gpu-experiments.ts';
import { type KernelLine, surviveKernels } from '../../../cli/bench/gpu-kernels.ts';
import { nameOf, planExperiments, wordsOf } from '../../../cli/bench/gpu-plan.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();

test('experiments: kernels, then unetc alone, then the others, the slowest peer last', () => {
  const all = planExperiments(['graphs/a.json', 'b.json'], [1, 64]);
  const names = all.map(nameOf);
  expect(new Set(names).size).toBe(names.length);
  expect(names.slice(0, 4)).toEqual(['a-b1-kernels', 'b-b1-kernels', 'a-b1-unetc', 'b-b1-unetc']);
  expect(names.at(-1)).toBe('b-b64-torch-compile');
  expect(wordsOf(all[2] as never, ['--runs', '3']).slice(-4)).toEqual(['--warmup', '5', '--runs', '3']);
  expect(wordsOf(all.at(-1) as never, []).join(' ')).toContain('--batch 64 --for throughput --json');
});

test('what is there is not run again; another version is, and with again what failed', async () => {
  const experiments = planExperiments(['a.json'], [1]).slice(0, 3);
  const ran: string[] = [];
  const settings: ExperimentRun = {
    ...{ folder: at('results'), unetc: '1.0.0', again: false, note: () => undefined },
    run: async (one) => {
      ran.push(nameOf(one));
      if (one.kind === 'profile') return { status: 'limit', message: 'it took more than 1 s' };
      return { status: 'done', result: one.kind };
    },
  };
  const again = async (change: Partial<ExperimentRun>) => {
    ran.length = 0;
    await runExperiments(experiments, { ...settings, ...change });
    return [...ran];
  };
  expect(await again({})).toEqual(['a-b1-kernels', 'a-b1-unetc', 'a-b1-profile']);
  expect(await again({})).toEqual([]);
  expect(await again({ again: true })).toEqual(['a-b1-profile']);
  expect(await again({ unetc: '1.0.1' })).toHaveLength(3);
  fs.writeFileSync(at('results', 'cut.json'), '{"experiment": {');
  const statuses = readResults(at('results')).map((one) => `${nameOf(one.experiment)} ${one.status}`);
  expect(statuses).toEqual(['a-b1-kernels done', 'a-b1-profile limit', 'a-b1-unetc done']);
});

test('a kernel that ends its process is named, and the next process begins behind it', async () => {
  const begun: number[] = [];
  const outcome = await surviveKernels(async (first, tell) => {
    begun.push(first);
    for (let kernel = first; kernel < 4; kernel++) {
      tell({ kernel, of: 4, file: `k${kernel}.wgsl` } satisfies KernelLine);
      if (kernel === 1 || kernel === 3) return 'it ended by SIGSEGV';
      tell({ kernel, ms: 2, fault: kernel === 2 ? 'refused' : null });
    }
    return null;
  });
  expect(begun).toEqual([0, 2]);
  expect(outcome).toEqual({
    status: 'done',
    result: {
      kernels: [
        { file: 'k0.wgsl', ms: 2, fault: null },
        { file: 'k1.wgsl', ms: null, fault: 'it ended by SIGSEGV' },
        { file: 'k2.wgsl', ms: 2, fault: 'refused' },
        { file: 'k3.wgsl', ms: null, fault: 'it ended by SIGSEGV' },
      ],
    },
  });
  expect(await surviveKernels(async () => 'no adapter')).toEqual({ status: 'failed', message: 'no adapter' });
});
