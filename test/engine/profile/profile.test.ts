import { expect, test } from 'vitest';
import { reachedBy } from '../../../engine/profile/probe.ts';
import { analyse } from '../../../engine/profile/profile.ts';
import { MANIFEST, PEAKS, TIMES } from '../../fixtures/profile.ts';

const analysis = analyse(MANIFEST, TIMES, PEAKS);

test('a dispatch has the median of its times, its share, its rates', () => {
  const [conv, map, unseen] = analysis.dispatches;
  expect(conv).toMatchObject({ index: 0, kernel: 'conv_gemm', ms: 8, ms_min: 7, share: 0.8, flops: 4e8 });
  expect(conv?.gflops_per_s).toBeCloseTo(50, 9);
  expect(conv?.gb_per_s).toBeCloseTo(0.125, 9);
  expect(map).toMatchObject({ kernel: 'map', ms: 2, gflops_per_s: 0 });
  expect(unseen).toMatchObject({ ms: 0, gflops_per_s: 0, gb_per_s: 0, roofline: null });
});

test('the roofline is arithmetic or memory, whichever takes longer', () => {
  // 0.4 GFLOP at 100 GFLOP/s are 4 ms of 8; 10 MB at 10 GB/s are 1 ms of 2.
  expect(analysis.dispatches[0]?.roofline).toBeCloseTo(0.5, 9);
  expect(analysis.dispatches[1]?.roofline).toBeCloseTo(0.5, 9);
});

test('kernels of one source are added up, the longest first', () => {
  expect(
    analysis.kernels.map(({ kernel, dispatches, pipelines, ms }) => [kernel, dispatches, pipelines, ms]),
  ).toEqual([
    ['conv_gemm', 2, 2, 8],
    ['map', 1, 1, 2],
  ]);
  expect(analysis.gpu_ms).toBe(10);
  expect(analysis.total).toMatchObject({ ms: 10, share: 1, flops: 4e8 + 1000 });
});

test('a peak is what three rounds reach, and of fewer the least', () => {
  expect(reachedBy([18, 50, 36, 49, 100, 48])).toBe(49);
  expect(reachedBy([18, 50])).toBe(18);
  expect(reachedBy([])).toBe(0);
});
