// Turns of the event loop within long work that never waits for anything. Signals are seen in them, and nowhere else.

import { performance } from 'node:perf_hooks';
import type { Origin } from '../../bytes.ts';
import { guarded } from './system-faults.ts';

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

/**
 * Takes the steps of what is written, in between the event loop's turns. What was begun is undone where the signal is aborted,
 * which rejects with its reason, where a step fails, and where the process is ended meanwhile.
 */
export async function inTurns(
  origin: Origin,
  steps: Generator<undefined, void>,
  signal: AbortSignal,
): Promise<void> {
  const takeTurn = turnsOf(signal);
  const giveUp = (): void => void guarded(origin, () => steps.return());
  process.once('exit', giveUp);
  try {
    while (!guarded(origin, () => steps.next()).done) await takeTurn();
  } finally {
    process.off('exit', giveUp);
    giveUp();
  }
}
