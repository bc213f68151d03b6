// Waits for the results of a pass: half of the time that it will take is slept through, then the GPU is asked.

import type { Pause } from '../../pacing.ts';
import { unhurried } from './unhurried.ts';

/** Below this many milliseconds a timer is too coarse to sleep by. */
const SHORTEST = 4;

/** From this many milliseconds on a timer's millisecond is a hundredth, and a GPU is asked once in one. */
const LONG = 100;

/**
 * The part of the expected time that is slept through. A pass is never seen as faster than the sleep, so behind a slow
 * stretch the next ones take at least this part of the one before: with nine tenths ten passes were slow for nothing.
 */
const PART = 0.5;

/** Passes of which the fastest is expected again: one that had to wait for others must not slow the next. */
const REMEMBERED = 3;

/**
 * Sleeps through half of what a pass took lately, then waits for its end. `onProcessor` tells that a processor
 * computes the passes: asking all the time would take a core from them, which costs short passes more than a millisecond. A
 * GPU computes beside, and there a millisecond of twenty would be lost.
 */
export function createPause(onProcessor: boolean): Pause {
  const long = onProcessor ? SHORTEST : LONG;
  const recent: number[] = [];
  let first = true;
  return {
    async until(start) {
      const begin = performance.now();
      const expected = recent.length > 0 ? Math.min(...recent) : null;
      const sleep = Math.floor((expected ?? 0) * PART);
      if (sleep >= SHORTEST) await new Promise((resolve) => setTimeout(resolve, sleep));
      const result = await (expected === null || expected >= long ? unhurried(start) : start());
      // the first pass tells nothing: drivers generate code in it
      if (!first) recent.push(performance.now() - begin);
      if (recent.length > REMEMBERED) recent.shift();
      first = false;
      return result;
    },
  };
}
