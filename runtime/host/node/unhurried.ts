// Waits for Dawn without burning a core. While a promise of its own is pending, Dawn's binding for Node asks for events
// in every turn of the event loop, and on a processor that also computes the kernels that is a core taken from them.
// The binding looks up `setImmediate` anew for each poll, so a call made in here plans its polls a millisecond apart. It
// polls for all promises together: the promise that starts the polling decides how far apart the polls are, until no
// promise is pending.

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

/** Plans Dawn's next poll, which plans the one after it, for a millisecond later. */
function later(poll: (...values: unknown[]) => void, ...values: unknown[]): void {
  setTimeout(() => unhurried(() => poll(...values)), 1);
}
