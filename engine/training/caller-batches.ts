// Batches that a caller of the Node API gives one after the other, as a source of batches by the number of their step.

import { RuntimeError } from '../../runtime/errors.ts';
import type { Batch, BatchSource } from '../data/batch.ts';
import { createStream } from '../data/stream.ts';

/**
 * Batches of an iterable, which begins with step 0: a run that goes on passes over those of the steps behind it. The first
 * one is kept, for pictures of samples ask for it again beside the run.
 */
export function oneAfterAnother(batches: AsyncIterable<Batch>): BatchSource {
  let iterator: AsyncIterator<Batch> | null = null;
  let first: Batch | null = null;
  let at = 0;
  let isPending = false;
  let open = 0;
  const make = async (step: number): Promise<Batch> => {
    if (step === 0 && first !== null) return first;
    iterator ??= batches[Symbol.asyncIterator]();
    for (;;) {
      isPending = true;
      const { done, value } = await Promise.resolve(iterator.next()).finally(() => {
        isPending = false;
      });
      if (done) {
        throw new RuntimeError('input', `data: the batches end before step ${step}; give one for every step`);
      }
      first ??= value;
      if (at++ === step) return value;
    }
  };
  return {
    steps({ from = 0, signal }) {
      const stream = createStream(make, { ahead: 0, from, signal });
      open++;
      let isOpen = true;
      return {
        ...stream,
        async return() {
          if (isOpen) open--;
          isOpen = false;
          const ended = open === 0 ? iterator?.return?.() : undefined;
          // a generator that waits for something hears of its end once it has that
          if (isPending) Promise.resolve(ended).catch(() => undefined);
          else await ended;
          return stream.return();
        },
      };
    },
  };
}
