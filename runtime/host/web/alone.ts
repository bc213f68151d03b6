// Work that only one of the pages of an origin does at a time (the Web Locks API), so that a second tab finds in the cache
// what the first one downloads. Without locks each does its own.

/** What is used of `navigator.locks`. */
interface Locks {
  request<T>(
    name: string,
    options: { readonly ifAvailable?: boolean; readonly signal?: AbortSignal },
    work: (lock: object | null) => Promise<T>,
  ): Promise<T>;
}

/** @param onWait told that another page is at it, before this one waits */
export async function alone<T>(
  name: string,
  signal: AbortSignal | undefined,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const { locks } = (globalThis as { readonly navigator?: { readonly locks?: Locks } }).navigator ?? {};
  if (locks === undefined) return work();
  const free = await locks.request(name, { ifAvailable: true }, async (lock) =>
    lock === null ? null : { result: await work() },
  );
  if (free !== null) return free.result;
  onWait();
  return locks.request(name, signal ? { signal } : {}, work);
}
