import { expect, test } from 'vitest';
import { profileTable } from '../../../cli/profile/table.ts';
import { PROFILE } from '../../fixtures/profile.ts';

test('dispatches by time, kernels, the whole', () => {
  expect(profileTable(PROFILE, 2)).toBe(`\
mine: 2 images of 8x8, target generic
on a & b; medians of 3 runs
peaks (given): 100 GFLOP/s, 10.0 GB/s

#     ms     %  GFLOP/s   GB/s  roofline  group
0  8.000  80.0     50.0  0.125       50%  #0 <input_blocks.0.0>
1  2.000  20.0        0   5.00       50%  #0 <input_blocks.0.0>
... and 1 more

kernel     dispatches  pipelines      ms      %  GFLOP/s   GB/s  roofline
conv_gemm           2          2   8.000   80.0     50.0  0.125       50%
map                 1          1   2.000   20.0        0   5.00       50%
all                 3          3  10.000  100.0     40.0   1.10       40%

a pass takes 11.0 ms with upload and readback, 10.0 ms of it in dispatches
`);
});
