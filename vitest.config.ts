// Three suites. `null` needs no GPU, and its files share the modules that they import, which takes two thirds of the time;
// `process` starts processes of its own, most of them from dist/, or mocks a module; `device` runs on
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
      {
        test: { ...shared, name: 'null', include: nullFiles, isolate: false, setupFiles: 'test/put-back.ts' },
      },
      { test: { ...shared, name: 'process', include: ['test/process/**/*.test.ts'] } },
      { test: { ...shared, name: 'device', include: ['test/device/**/*.test.ts'], testTimeout: 600_000 } },
    ],
  },
});
