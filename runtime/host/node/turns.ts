// Turns of the event loop within long work that never waits for anything. Signals are seen in them, and nowhere else.

import { performance } from 'node:perf_hooks';

/**
 * Gives the event loop a turn where the last one was a while ago; otherwise it takes no time. Rejects with the reason of a
 * signal that was aborted.
 */
export type TakeTurn = () => Promise<void>;

/** Milliseconds of work between two turns: nobody notices the wait, and turns cost nothing beside it. */
const SPELL = 50;

export function turnsOf(signal: AbortSignal): TakeTurn {
  let last = performance.now();
  return async () => {
    signal.throwIfAborted();
    if (performance.now() - last < SPELL) return;
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    last = performance.now();
  };
}
