// Behind each file of the suite `null`, whose files share a process and its modules: globals, variables of the environment and
// functions that the file has put others in the place of are what they were.

import { afterAll, vi } from 'vitest';

afterAll(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});
