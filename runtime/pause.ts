// Waits for the GPU without burning a core. While a promise of Dawn's is pending, Node polls for it, and takes a core
// from a driver that computes on the processor; so most of the time that a pass will take is slept through first.

export interface Pause {
  /** Sleeps through most of what a pass took lately, then waits for what `start` promises. */
  until<T>(start: () => Promise<T>): Promise<T>;
}

/** Below this many milliseconds a timer is too coarse to help. */
const SHORTEST = 4;

/** The part of the expected time that is slept through: a faster pass is seen as faster, and the sleep shrinks. */
const PART = 0.9;

/** Passes of which the fastest is expected again: one that had to wait for others must not slow the next. */
const REMEMBERED = 3;

export function createPause(): Pause {
  const recent: number[] = [];
  let first = true;
  return {
    async until(start) {
      const begin = performance.now();
      const sleep = recent.length > 0 ? Math.floor(Math.min(...recent) * PART) : 0;
      if (sleep >= SHORTEST) await new Promise((resolve) => setTimeout(resolve, sleep));
      const result = await start();
      // the first pass tells nothing: drivers generate code in it
      if (!first) recent.push(performance.now() - begin);
      if (recent.length > REMEMBERED) recent.shift();
      first = false;
      return result;
    },
  };
}
