// How a pass is cut into submissions. Drivers reset a GPU that works for seconds on one (two on Windows, as long on macOS),
// so none holds more than half a second of work for a slow GPU. All are submitted at once and run in their order, so that no
// result changes; a fast GPU loses some microseconds at each cut.

import type { Manifest } from './bundle.ts';
import { SLOW } from './watchdog.ts';

/** Seconds that a submission may take. */
const LONGEST_SECONDS = 0.5;

/** Operations of a submission, as many as slow GPUs do in that time. No driver watches over a processor. */
export function mostOperations({ isFallback }: { readonly isFallback: boolean }): number {
  return isFallback ? Number.POSITIVE_INFINITY : LONGEST_SECONDS * SLOW.gpu;
}

/** Says of one dispatch after the other whether a submission begins with it; the first always belongs to what came before. */
export function createCuts(most: number): (flops: number) => boolean {
  let sum = 0;
  return (flops) => {
    const begins = sum > 0 && sum + flops > most;
    sum = begins ? flops : sum + flops;
    return begins;
  };
}

/** The dispatches that a submission begins with, but for the first, on a GPU. */
export function cutsOf({ dispatches }: Pick<Manifest, 'dispatches'>): readonly number[] {
  const begins = createCuts(mostOperations({ isFallback: false }));
  return dispatches.flatMap(({ flops }, i) => (begins(flops) ? [i] : []));
}
