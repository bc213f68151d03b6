// Starts of an engine without and with the driver's cache of compiled kernels.

import type { EngineProcess, StartOptions } from './engine-process.ts';
import type { EngineJob } from './protocol.ts';

/** Starts the process of an engine, with these variables beside those of this process. */
export type Start = (
  engine: EngineJob,
  env?: StartOptions['env'],
) => Promise<Pick<EngineProcess, 'cold_start_ms' | 'end'>>;

/** Mesa's switch; other drivers have their own or none. */
const WITHOUT_CACHE = { MESA_SHADER_CACHE_DISABLE: 'true' };

export interface ColdStarts {
  /** Null where the driver has no switch that is known. */
  readonly cold_start_without_cache_ms: number | null;
  readonly cold_start_with_cache_ms: number;
}

/** The engine must have run before, so that the cache holds its kernels. `driver` is the adapter's description. */
export async function coldStarts(engine: EngineJob, driver: string, start: Start): Promise<ColdStarts> {
  const time = async (env?: StartOptions['env']): Promise<number> => {
    const process = await start(engine, env);
    await process.end();
    return process.cold_start_ms;
  };
  return {
    cold_start_with_cache_ms: await time(),
    cold_start_without_cache_ms: /mesa/i.test(driver) ? await time(WITHOUT_CACHE) : null,
  };
}
