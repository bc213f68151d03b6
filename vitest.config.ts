// Two suites: `null` needs no GPU, `device` runs on whatever adapter is there (lavapipe at the least, which takes up to
// seconds to generate code for each kernel that it has not seen).

import { defineConfig } from 'vitest/config';

const shared = {
  // Dawn lives in the process: one that hangs or dies must not take the other files with it.
  pool: 'forks',
  testTimeout: 60_000,
  hookTimeout: 60_000,
  teardownTimeout: 10_000,
} as const;

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: 'null', include: ['test/null/**/*.test.ts'] } },
      { test: { ...shared, name: 'device', include: ['test/device/**/*.test.ts'], testTimeout: 600_000 } },
    ],
  },
});
