// Ends a request of which nothing comes any more: a connection that is gone without a word would be waited for until the
// page is closed.

export interface StallWatch {
  /** Aborted when nothing came for too long, and with the signal of the caller. */
  readonly signal: AbortSignal;
  /** Says that something came. */
  alive(): void;
  /** Watches no longer. */
  end(): void;
}

/** @param milliseconds that may pass without a byte */
export function watchStall(milliseconds: number, signal: AbortSignal | undefined): StallWatch {
  const stalled = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = () => clearTimeout(timer);
  const alive = () => {
    end();
    timer = setTimeout(() => {
      stalled.abort(new Error(`nothing came for ${milliseconds / 1000} s`));
    }, milliseconds);
  };
  alive();
  return { signal: signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal, alive, end };
}
