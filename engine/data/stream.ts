// Batches that are prepared ahead of whoever takes them: a few are under way or ready at any time, never more, in the order
// of their numbers whatever is done first.

import { performance } from 'node:perf_hooks';
import type { Batch, BatchStream } from './batch.ts';

export interface StreamOptions {
  /** Batches that are ready or under way while the one that was taken last is at work; 0 makes each when it is asked for. */
  readonly ahead: number;
  /** The number of the first batch, and of the one that there is no more; none for streams without an end. */
  readonly from: number;
  readonly until?: number;
  readonly signal?: AbortSignal | undefined;
}

/** @param make prepares a batch by its number */
export function createStream(make: (number: number) => Promise<Batch>, options: StreamOptions): BatchStream {
  const { ahead, from, until = Number.POSITIVE_INFINITY, signal } = options;
  let queue: readonly Promise<Batch>[] = [];
  let next = from;
  let waited = 0;
  /** When the first batch was there. */
  let since: number | null = null;
  let closed = false;

  const fill = (count: number): void => {
    while (queue.length < count && next < until) {
      const batch = make(next++);
      // whoever takes it hears of a failure; nobody may
      batch.catch(() => undefined);
      queue = [...queue, batch];
    }
  };
  /** What is under way comes to its end unheard. */
  const close = (): void => {
    closed = true;
    queue = [];
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      signal?.throwIfAborted();
      if (!closed) fill(1);
      const [batch] = queue;
      if (batch === undefined) {
        close();
        return { done: true, value: undefined };
      }
      queue = queue.slice(1);
      fill(ahead);
      const start = performance.now();
      try {
        const value = await orAborted(batch, signal);
        if (since === null) since = performance.now();
        else waited += performance.now() - start;
        return { done: false, value };
      } catch (error) {
        close();
        throw error;
      }
    },
    async return() {
      close();
      return { done: true, value: undefined };
    },
    waiting: () => ({ waited, elapsed: since === null ? 0 : performance.now() - since }),
  };
}

/** What `work` gives, or the reason of the signal where that is aborted first. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
