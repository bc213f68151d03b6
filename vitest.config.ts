// Three suites. `null` needs no GPU; `process` starts processes of its own, most of them from dist/; `device` runs on
// whatever adapter is there (lavapipe at the least, which takes up to seconds to generate code for each kernel that it
// has not seen). Its folders aside, test/ mirrors the tree.

import { defineConfig } from 'vitest/config';

const shared = {
  // Dawn lives in the process: one that hangs or dies must not take the other files with it.
  pool: 'forks',
  testTimeout: 60_000,
  hookTimeout: 60_000,
  teardownTimeout: 10_000,
} as const;

const nullFiles = ['test/*.test.ts', 'test/{compiler,runtime,web,engine,cli}/**/*.test.ts'];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: 'null', include: nullFiles } },
      { test: { ...shared, name: 'process', include: ['test/process/**/*.test.ts'] } },
      { test: { ...shared, name: 'device', include: ['test/device/**/*.test.ts'], testTimeout: 600_000 } },
    ],
  },
});
