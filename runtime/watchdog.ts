// Ends what does not end: work on a device of which nothing has come back for too long. The device is given up then, for
// nothing takes work back from a GPU.

import type { Manifest } from './bundle.ts';
import { RuntimeError } from './errors.ts';
import type { OpenedDevice } from './opened-device.ts';

/** Seconds without a sign of life that are too many where nobody says how many are. */
const USUAL_SECONDS = 60;

/** How many times longer than estimated a pass may take. */
const MARGIN = 20;

/** Floating-point operations a second that slow adapters reach: a processor of a few cores, and a GPU of a notebook. */
export const SLOW = { processor: 1e10, gpu: 1e12 } as const;

export interface Watchdog {
  readonly seconds: number;
  /**
   * Waits for work on the device. Where neither it nor other work of this watchdog ends for so long, the device is given
   * up, and all that waits for it rejects with RuntimeError('gpu'); so it does when the device is lost.
   * @param doing what is waited for, as a message says it
   */
  until<T>(work: Promise<T>, doing: () => string): Promise<T>;
  /** Says that a part of what is waited for has ended. */
  alive(): void;
}

type Watched = Pick<OpenedDevice, 'abandon' | 'timeout'> & Partial<Pick<OpenedDevice, 'lost'>>;

/** @param seconds the most where `opened` has no timeout of its own */
export function createWatchdog({ abandon, timeout, lost }: Watched, seconds: number): Watchdog {
  const most = timeout ?? seconds;
  const waiting = new Map<object, { readonly doing: () => string; reject(error: RuntimeError): void }>();
  // Time is counted in steps: of a process that was stopped, or had no core for a while, no time has gone by.
  const step = Math.min(1000, (most * 1000) / 16);
  let idle = 0;
  let before = 0;
  let timer: ReturnType<typeof setInterval> | null = null;
  const look = () => {
    const now = performance.now();
    idle += Math.min(now - before, 2 * step);
    before = now;
    if (idle < most * 1000) return;
    const [first] = waiting.values();
    const error = hung(first?.doing() ?? 'the work', most);
    abandon(error);
    for (const { reject } of waiting.values()) reject(error);
  };
  // not every browser settles what waits for a device that is gone
  void lost?.then((error) => {
    if (error !== null) for (const { reject } of waiting.values()) reject(error);
  });
  const alive = () => {
    idle = 0;
    before = performance.now();
  };
  return {
    seconds: most,
    alive,
    async until(work, doing) {
      const key = {};
      const given = new Promise<never>((_, reject) => {
        waiting.set(key, { doing, reject });
      });
      if (timer === null) {
        alive();
        timer = setInterval(look, step);
      }
      try {
        return await Promise.race([work, given]);
      } finally {
        waiting.delete(key);
        alive();
        if (waiting.size === 0 && timer !== null) {
          clearInterval(timer);
          timer = null;
        }
      }
    },
  };
}

/** The seconds that a pass of a bundle may be without a sign of life: 60, or 20 times the estimate where that is more. */
export function patienceFor({ dispatches }: Pick<Manifest, 'dispatches'>, onProcessor: boolean): number {
  const flops = dispatches.reduce((sum, dispatch) => sum + dispatch.flops, 0);
  return Math.max(USUAL_SECONDS, (MARGIN * flops) / (onProcessor ? SLOW.processor : SLOW.gpu));
}

function hung(what: string, seconds: number): RuntimeError {
  return new RuntimeError(
    'gpu',
    `${what} did not end within ${Number(seconds.toPrecision(3))} s: it hangs, or the GPU is slower than that; ` +
      'look at this kernel and the driver, or give it more time (--timeout SECONDS)',
  );
}
