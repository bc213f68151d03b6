import { join } from 'node:path';
import { expect, test } from 'vitest';
import { coldStarts, type Start } from '../../../cli/bench/cold-start.ts';
import type { EngineJob } from '../../../cli/bench/protocol.ts';

const job: EngineJob = {
  ...{ engine: 'unetc', model: '', settings: {}, weights: '', onnx: null, unet: null },
  ...{ inputs: '', output: '', training: null, threads: 1 },
};

/** A start that takes 100 ms, with an empty cache of Mesa's 900; notes what happened. */
function starts() {
  const log: string[] = [];
  const start: Start = async (_, env) => {
    const without = env?.MESA_SHADER_CACHE_DIR === join('folder', 'cache');
    log.push(without ? 'without' : 'with');
    const end = async () => {
      log.push('end');
      return { rss_peak_bytes: 1 };
    };
    return { cold_start_ms: without ? 900 : 100, end };
  };
  return { log, start };
}

test('on Mesa both starts are timed, one process after the other', async () => {
  const { log, start } = starts();
  expect(await coldStarts(job, 'llvmpipe: Mesa 25', 'folder', start)).toEqual({
    cold_start_with_cache_ms: 100,
    cold_start_without_cache_ms: 900,
  });
  expect(log).toEqual(['with', 'end', 'without', 'end']);
});

test('elsewhere there is no known way to do without the cache', async () => {
  const { log, start } = starts();
  expect((await coldStarts(job, 'NVIDIA 550', 'folder', start)).cold_start_without_cache_ms).toBeNull();
  expect(log).toEqual(['with', 'end']);
});
