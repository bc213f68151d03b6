// Files that are kept for the next visit, in the Cache API or whatever else keeps answers by address. Nothing depends on
// them: where they cannot be had or kept, a note says why, and the file comes from its server.

import { reasonOf, type Version, versionOf } from './answer.ts';
import type { Downloaded } from './download.ts';

/** What is used of a `Cache`. */
export interface AnswerCache {
  match(url: string): Promise<Response | undefined>;
  put(url: string, answer: Response): Promise<void>;
}

/** Whether files are kept, and where: under the name of a cache of this origin, or in a cache of the caller's. */
export type CacheChoice = boolean | string | AnswerCache;

export interface KeptFiles {
  /** What is kept of an address; null where nothing is, or not all of it. */
  recall(url: string): Promise<Downloaded | null>;
  keep(url: string, file: Downloaded): Promise<void>;
}

/** The cache of those who name none. */
const USUAL_NAME = 'unetc';

/** Bytes that were kept, to tell an entry that is whole. */
const BYTES = 'x-unetc-bytes';

interface Storage {
  readonly caches?: { open(name: string): Promise<AnswerCache> };
}

/** The files that are kept; null where there is no cache or none is wanted. */
export async function openKept(choice: CacheChoice, note: (text: string) => void): Promise<KeptFiles | null> {
  if (choice === false) return null;
  if (typeof choice === 'object') return keptIn(choice, note);
  const { caches } = globalThis as Storage;
  if (caches === undefined) return null;
  try {
    return keptIn(await caches.open(choice === true ? USUAL_NAME : choice), note);
  } catch (error) {
    note(`nothing is kept for the next visit: the host gives no cache (${reasonOf(error)})`);
    return null;
  }
}

function keptIn(cache: AnswerCache, note: (text: string) => void): KeptFiles {
  let full = false;
  return {
    async recall(url) {
      try {
        const answer = await cache.match(url);
        if (answer === undefined) return null;
        const bytes = new Uint8Array(await answer.arrayBuffer());
        const whole = answer.headers.get(BYTES) === String(bytes.length);
        return whole ? { bytes, version: versionOf(answer) } : null;
      } catch {
        return null;
      }
    },
    async keep(url, { bytes, version }) {
      // one that is full is full for the others, too, and a file that is larger than what is left is written for nothing
      if (full) return;
      try {
        await cache.put(url, new Response(bytes, { headers: headersOf(bytes, version) }));
      } catch (error) {
        full = (error as { readonly name?: unknown } | null)?.name === 'QuotaExceededError';
        const why = full ? 'the storage that the browser grants is full' : reasonOf(error);
        note(`${url} is not kept for the next visit: ${why}; the model runs all the same`);
      }
    },
  };
}

function headersOf(bytes: Uint8Array, { etag, modified }: Version): Record<string, string> {
  return {
    [BYTES]: String(bytes.length),
    ...(etag !== null && { etag }),
    ...(modified !== null && { 'last-modified': modified }),
  };
}
