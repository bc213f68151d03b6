import { expect, test } from 'vitest';
import type { BenchResult, Timing } from '../../../cli/bench/bench.ts';
import { benchTable } from '../../../cli/bench/table.ts';

const TIMING: Timing = {
  ...{ ms_median: 20, ms_min: 18.5, runs: 10, gflops_per_s: 50 },
  ...{ cold_start_ms: 1234.5, cold_start_without_cache_ms: null, cold_start_with_cache_ms: null },
  ...{ rss_peak_bytes: 3e8, version: 'unetc 1', device: 'a GPU' },
};

const RESULT: BenchResult = {
  ...TIMING,
  ...{ name: 'mine', model: 'mine.json', batch: 4, image_size: [8, 8], target: 'generic', precision: 'f32' },
  ...{ dispatches: 7, pipelines: 3, flops: 1e9, adapter: 'a GPU', driver: 'Mesa', warmup: 3 },
  ...{ node: 'v20', cpu: 'a CPU', cpus: 2, training: false },
  peers: [
    {
      ...{ name: 'ort-cpu', status: 'measured', ratio: 0.5, relative_l2: 1.25e-6 },
      ...{ ...TIMING, ms_median: 10, version: 'ort 1', device: 'a CPU' },
    },
    { name: 'torch', status: 'absent', reason: 'torch is not installed\nat all' },
  ],
};

test('text: ratios to ours, absences with their reason', () => {
  expect(benchTable([RESULT], 'text')).toBe(`\
model  batch  engine           median ms  least ms  to unetc  GFLOP/s  first result ms  memory MB  relative L2
mine       4  unetc (generic)       20.0      18.5      1.00     50.0             1235        300
mine       4  ort-cpu               10.0      18.5      0.50     50.0             1235        300       1.3e-6
mine       4  torch               absent

mine, batch 4: 7 dispatches of 3 pipelines
unetc: unetc 1, Node v20, on a GPU
ort-cpu: ort 1, on a CPU
torch, absent: torch is not installed
a CPU, 2 processors; medians of 10 passes after 3, engines in turn
first result: from the start of the process, with weights in a file and the driver's cache as it was found
relative L2: unetc's output against the engine's
`);
});

test('Markdown, with the starts of --cold', () => {
  const cold = { ...RESULT, cold_start_without_cache_ms: null, cold_start_with_cache_ms: 900, peers: [] };
  const [titles, rule, row, ...notes] = benchTable([cold], 'markdown').split('\n');
  expect(titles).toContain('| first result ms | without cache | with cache | memory MB |');
  expect(rule).toMatch(/^(\| -+:? )+\|$/);
  expect(row).toBe('| mine | 4 | unetc (generic) | 20.0 | 18.5 | 1.00 | 50.0 | 1235 | - | 900 | 300 |  |');
  expect(notes).toContain('- mine, batch 4: 7 dispatches of 3 pipelines');
});

test('of steps of training the notes say what a step is', () => {
  const table = benchTable([{ ...RESULT, training: true }], 'text');
  expect(table).toContain(
    "relative L2: unetc's losses against the engine's; with dropout each has masks of its own\n",
  );
  expect(table).toContain(
    'a step of training: forward pass, loss, backward pass, AdamW, one moving average\n',
  );
});
