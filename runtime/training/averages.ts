// The moving averages that a step of training keeps, as the states of its bundle say.

import type { Manifest } from '../bundle.ts';

/** How many moving averages a bundle keeps of each parameter that changes: its states are `ema.K.NAME`. */
export function averagesIn({ state }: Pick<Manifest, 'state'>): number {
  return new Set(state.flatMap(({ name }) => /^ema\.(\d+)\./.exec(name)?.[1] ?? [])).size;
}
