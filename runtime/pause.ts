// Waits for the GPU without burning a core. While a promise of Dawn's is pending, Node polls for it, and takes a core
// from a driver that computes on the processor; so most of the time that a pass will take is slept through first.

export interface Pause {
  /** Sleeps through most of what the last pass took, then waits for what `start` promises. */
  until<T>(start: () => Promise<T>): Promise<T>;
}

/** Below this many milliseconds a timer is too coarse to help. */
const SHORTEST = 4;

/** The part of the last pass that is slept through: a pass that was faster is seen as faster, and the sleep shrinks. */
const PART = 0.9;

export function createPause(): Pause {
  let expected = 0;
  return {
    async until(start) {
      const begin = performance.now();
      const sleep = Math.floor(expected * PART);
      if (sleep >= SHORTEST) await new Promise((resolve) => setTimeout(resolve, sleep));
      const result = await start();
      expected = performance.now() - begin;
      return result;
    },
  };
}
