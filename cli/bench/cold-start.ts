// Starts of an engine without and with the driver's cache of compiled kernels.

import fs from 'node:fs';
import { join } from 'node:path';
import type { EngineProcess, StartOptions } from './engine-process.ts';
import type { EngineJob } from './protocol.ts';

/** Starts the process of an engine, with these variables beside those of this process. */
export type Start = (
  engine: EngineJob,
  env?: StartOptions['env'],
) => Promise<Pick<EngineProcess, 'cold_start_ms' | 'end'>>;

export interface ColdStarts {
  /** With a cache that is empty, as on the first start ever. Null where the driver's is not known. */
  readonly cold_start_without_cache_ms: number | null;
  readonly cold_start_with_cache_ms: number;
}

/**
 * The engine must have run before, so that the cache holds its kernels. `driver` is the adapter's description: Mesa is
 * told to keep its cache in `folder`/cache, other drivers are not known.
 */
export async function coldStarts(
  engine: EngineJob,
  driver: string,
  folder: string,
  start: Start,
): Promise<ColdStarts> {
  const time = async (env?: StartOptions['env']): Promise<number> => {
    const process = await start(engine, env);
    await process.end();
    return process.cold_start_ms;
  };
  const cache = join(folder, 'cache');
  fs.rmSync(cache, { recursive: true, force: true });
  return {
    cold_start_with_cache_ms: await time(),
    cold_start_without_cache_ms: /mesa/i.test(driver) ? await time({ MESA_SHADER_CACHE_DIR: cache }) : null,
  };
}
