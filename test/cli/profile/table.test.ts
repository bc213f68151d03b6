import { expect, test } from 'vitest';
import { profileTable } from '../../../cli/profile/table.ts';
import { PROFILE } from '../../fixtures/profile.ts';

test('dispatches by time, kernels, the whole', () => {
  expect(profileTable(PROFILE, { top: 2, wide: false })).toBe(`\
mine: 2 images of 8x8, f32, target generic
on a & b
medians of 3 runs; peaks (given): 100 GFLOP/s, 10.0 GB/s

#     ms     %  GFLOP/s   GB/s  roof  kernel and layer
0  8.000  80.0     50.0  0.125   50%  conv_gemm input_blocks.0.0
1  2.000  20.0        0   5.00   50%  map input_blocks.0.0
... and 1 more

kernel     runs  variants      ms      %  GFLOP/s   GB/s  roof
conv_gemm     2         2   8.000   80.0     50.0  0.125   50%
map           1         1   2.000   20.0        0   5.00   50%
all           3         3  10.000  100.0     40.0   1.10   40%

a pass with timestamps takes 13.3 ms:
  10.0 ms in 3 dispatches
  1.5 ms between them (barriers, the timestamps themselves)
  1.8 ms before and behind them (upload, submission, readback)
without timestamps it takes 11.0 ms (one compute pass, time path recalled)
`);
});

test('the whole lines of the schedule where they are asked for', () => {
  expect(profileTable(PROFILE, { top: 1, wide: true })).toContain(
    '50%  #0 <input_blocks.0.0>\n... and 2 more\n',
  );
});

test('no row is wider than a terminal, whatever the numbers, and parts add up to the whole as they are printed', () => {
  const path = 'output_blocks.10.0.in_layers.2';
  const long = PROFILE.dispatches.map((one, i) => ({
    ...one,
    ...{
      index: 1000 + i,
      kernel: 'winograd_output_subgroup',
      path,
      ms: 12345.678,
      gb_per_s: 1234.5,
      gflops_per_s: 98765.4,
    },
  }));
  const timed = { ms: 1.0006, dispatches_ms: 0.3334, between_ms: 0.3334, outside_ms: 0.3334 };
  const adapter =
    'llvmpipe-llvm-15-0-6-256-bits- (llvmpipe: Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6) 0.0.1), vulkan, software';
  const text = profileTable({ ...PROFILE, dispatches: long, timed, adapter }, { top: 9, wide: false });
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(text).toMatch(/winograd_output …[\w.]*in_layers\.2$/m);
  const parts = [...text.matchAll(/^ {2}([\d.]+) ms /gm)].map(([, ms]) => Number(ms));
  const [, whole] = /^a pass with timestamps takes ([\d.]+) ms:$/m.exec(text)!;
  expect(parts).toHaveLength(3);
  expect(parts.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(Number(whole), 6);
});
