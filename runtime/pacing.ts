// How a place waits for its GPU. A browser is told by the system when work has ended; other hosts have to ask, and each
// asks in its own way. Whoever opens a device says so (`OpenedDevice.pacing`), and whatever waits for one goes by it.

export interface Pause {
  /** Waits for what `start` promises: the end of a pass, which takes about as long as those before it. */
  until<T>(start: () => Promise<T>): Promise<T>;
}

export interface Pacing {
  /** Runs `work`; what it makes the device wait for may be asked for without haste, as a pass takes milliseconds. */
  unhurried<T>(work: () => T): T;
  /** Waits for passes that run one after the other; `onProcessor` tells that a processor computes them. */
  createPause(onProcessor: boolean): Pause;
}

/** The pacing of hosts that need none: promises resolve when the work has ended, and waiting for them costs nothing. */
export const UNPACED: Pacing = {
  unhurried: (work) => work(),
  createPause: () => ({ until: (start) => start() }),
};
