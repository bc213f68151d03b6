// Waits for Dawn without burning a core. While a promise of its own is pending, Dawn's binding for Node asks for events
// in every turn of the event loop, and on a processor that also computes the kernels that is a core taken from them.
// It looks up `setImmediate` anew each time, so calls made in here see one that comes a millisecond later. There is one
// row of looks for all promises, which is of the kind that its first promise asked for until none is pending.

/** Runs `work`; what it makes Dawn wait for is asked for once a millisecond. */
export function unhurried<T>(work: () => T): T {
  const scope: { setImmediate: unknown } = globalThis;
  const usual = scope.setImmediate;
  scope.setImmediate = later;
  try {
    return work();
  } finally {
    scope.setImmediate = usual;
  }
}

/** Dawn's next look, in which it plans the one after it. */
function later(look: (...values: unknown[]) => void, ...values: unknown[]): void {
  setTimeout(() => unhurried(() => look(...values)), 1);
}
