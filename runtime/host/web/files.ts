// The files of a model by their addresses: those that were kept and have not changed, and all others from their server.

import { sha256 } from '../../bundle.ts';
import { RuntimeError } from '../../errors.ts';
import { alone } from './alone.ts';
import { type Fetch, isServed, unlessChanged } from './answer.ts';
import { download, downloadWhole } from './download.ts';
import type { KeptFiles } from './kept.ts';
import type { Tally } from './tally.ts';

/** Where a model's files come from. */
export interface Files {
  /**
   * A file, whole. `isCurrent` tells that a kept one is what is wanted, without asking its server. Throws a RuntimeError of
   * kind `of`, and the signal's reason.
   */
  read(
    url: string,
    of: 'bundle' | 'weights',
    isCurrent?: (bytes: Uint8Array<ArrayBuffer>) => Promise<boolean>,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** Says that a file will be read, of about so many bytes. */
  expect: Tally['expect'];
}

export interface FilesOptions {
  readonly get: Fetch;
  /** Requests for a file in all. */
  readonly attempts: number;
  readonly signal?: AbortSignal | undefined;
  readonly kept?: KeptFiles | null;
  /** SHA-256 by address: what a file has to be, whoever gives it. */
  readonly digests?: ReadonlyMap<string, string> | undefined;
  readonly tally?: Tally;
  readonly note?: (text: string) => void;
}

export function createFiles({
  get,
  attempts,
  signal,
  kept = null,
  digests,
  tally,
  note = () => undefined,
}: FilesOptions): Files {
  // Weights that were kept, and newer ones of their server, are not mixed.
  let version: 'kept' | 'newer' | null = null;
  const settleOn = (url: string, found: 'kept' | 'newer', why: string) => {
    if (version !== null && version !== found) {
      throw new RuntimeError(
        'weights',
        `${url}: ${why}, and files of two versions do not go together; load them again`,
      );
    }
    version = found;
  };
  let waiting = false;
  const sayWaiting = (url: string) => {
    if (!waiting)
      note(`${url}: another page loads it, and this one waits, here and for what it loads after it`);
    waiting = true;
  };
  const read: Files['read'] = async (url, of, currentOf) => {
    const expected = digests?.get(url);
    const isCurrent =
      expected === undefined
        ? currentOf
        : async (bytes: Uint8Array<ArrayBuffer>) => (await sha256(bytes)) === expected;
    const options = {
      ...{ kind: of, get, attempts, signal, note },
      onBytes: (received: number, total: number | null) =>
        tally?.move(url, of, { from: 'server', received, total }),
    };
    const load = async () => {
      const fresh = await downloadWhole(url, options);
      if (expected !== undefined) await checkDigest(url, of, fresh.bytes, expected);
      return fresh;
    };
    if (kept === null || !isServed(url)) return (await load()).bytes;
    const fetchAndKeep = async () => {
      const fresh = await load();
      await kept.keep(url, fresh);
      return fresh.bytes;
    };
    const found = await kept.recall(url);
    if (found === null) return fetchAndKeep();
    const { bytes } = found;
    const recalled = () => {
      tally?.move(url, of, { from: 'cache', received: bytes.length, total: bytes.length });
      return bytes;
    };
    if (isCurrent) return (await isCurrent(bytes)) ? recalled() : fetchAndKeep();
    const unless = unlessChanged(found.version);
    if (Object.keys(unless).length === 0) return fetchAndKeep();
    const answer = await download(url, { ...options, unless });
    if (answer === 'unchanged') return recalled();
    if ('short' in answer) {
      settleOn(url, 'kept', answer.short);
      note(`${url}: ${answer.short}; what was kept of another visit is taken`);
      return recalled();
    }
    settleOn(url, 'newer', 'it was changed');
    await kept.keep(url, answer);
    return answer.bytes;
  };
  return {
    expect: (...words) => tally?.expect(...words),
    read: (url, ...words) =>
      kept === null || !isServed(url)
        ? read(url, ...words)
        : alone(
            `unetc ${url}`,
            signal,
            () => sayWaiting(url),
            () => read(url, ...words),
          ),
  };
}

/** Throws a RuntimeError for a file that is another than was meant: it was changed, damaged, or is a page that says so. */
async function checkDigest(
  url: string,
  of: 'bundle' | 'weights',
  bytes: Uint8Array<ArrayBuffer>,
  expected: string,
): Promise<void> {
  const found = await sha256(bytes);
  if (found === expected) return;
  throw new RuntimeError(
    of,
    `${url}: ${bytes.length} bytes came, whose SHA-256 is ${found}, expected ${expected}; the server has another file there, or it was damaged on the way`,
  );
}
