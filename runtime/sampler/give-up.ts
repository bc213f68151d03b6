// Work that nobody waits for any longer once its caller wants to be gone.

/** What `work` resolves to; throws the signal's reason where it takes longer than `grace` milliseconds after an abort. */
export async function orGiveUp<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  grace: number | undefined,
): Promise<T> {
  if (signal === undefined || grace === undefined) return work;
  let stop = (): void => undefined;
  const late = new Promise<never>((_, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onAbort = (): void => {
      timer = setTimeout(() => reject(signal.reason), grace);
    };
    signal.addEventListener('abort', onAbort);
    stop = () => {
      signal.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    };
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stop();
    // what is given up may still fail, and nobody is left to hear of it
    work.catch(() => undefined);
  }
}
