// Gives several things back in turn: a failure of one is no reason to keep the others, of which one may be a lock.

export interface Closable {
  close(): void | Promise<void>;
}

/** Closes all in turn that are there, whatever fails. Rejects with the first failure. */
export async function closeAll(...opened: readonly (Closable | null)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const one of opened) {
    try {
      await one?.close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
