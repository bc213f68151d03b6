// How a run's time was spent: the forward passes, and the part of it in which the adapter had none.

import { performance } from 'node:perf_hooks';
import type { Model } from '../../runtime/model.ts';

export interface Meter {
  /** The model, watched. */
  readonly model: Model;
  /** Forward passes begun, and those that have not ended. */
  passes(): number;
  pending(): number;
  /** Seconds that at least one pass was under way. */
  busy(): number;
}

export function watchModel(model: Model): Meter {
  let [passes, pending, busy, since] = [0, 0, 0, 0];
  return {
    model: {
      ...model,
      async run(inputs) {
        passes++;
        if (pending++ === 0) since = performance.now();
        try {
          return await model.run(inputs);
        } finally {
          if (--pending === 0) busy += performance.now() - since;
        }
      },
    },
    passes: () => passes,
    pending: () => pending,
    busy: () => busy / 1000,
  };
}
