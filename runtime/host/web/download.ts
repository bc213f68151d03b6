// Downloads a file whole into memory. One that breaks off goes on where it broke off (`Range`, RFC 9110 section 14), as
// long as the file is the same; a server without ranges sends it anew. What comes short is seen by its length.

import { RuntimeError, type RuntimeErrorKind } from '../../errors.ts';
import {
  type Answer,
  type Fetch,
  isElsewhere,
  isPacked,
  isServed,
  lengthOf,
  NO_VERSION,
  partOf,
  reasonOf,
  sameVersion,
  strongVersion,
  type Version,
  versionOf,
} from './answer.ts';
import { createReceived, type Received } from './received.ts';
import { type StallWatch, watchStall } from './stall.ts';

export interface DownloadOptions {
  /** Of the faults. */
  readonly kind: RuntimeErrorKind;
  readonly get: Fetch;
  readonly signal?: AbortSignal | undefined;
  /** Requests in all, the first among them. */
  readonly attempts: number;
  /** Milliseconds before the second request, twice as many before the third, and so on. Default 500. */
  readonly pause?: number;
  /** Milliseconds without a byte after which an answer counts as broken off. Default 30,000. */
  readonly stall?: number;
  /** Told how much is there, and how long the file is where the server says so. */
  readonly onBytes?: ((received: number, total: number | null) => void) | undefined;
  /** Told why a request is made again. */
  readonly note?: ((text: string) => void) | undefined;
  /** Asks for the file only where it is not as these headers say, and not again where there is no answer. */
  readonly unless?: Readonly<Record<string, string>> | undefined;
}

export interface Downloaded {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly version: Version;
}

/** The same of a file that is wanted in any case. */
export async function downloadWhole(
  url: string,
  options: Omit<DownloadOptions, 'unless'>,
): Promise<Downloaded> {
  const found = await download(url, options);
  if (found === 'unchanged' || 'short' in found) throw new Error('internal: nothing was asked unless');
  return found;
}

/** Statuses of servers that may answer another time. */
const PASSING: readonly number[] = [408, 425, 429, 500, 502, 503, 504];

/** Milliseconds without a byte that are too many where nobody says how many are. */
const STALLED = 30_000;

/** What is there of a file. */
interface Held {
  readonly received: Received;
  total: number | null;
  version: Version;
  /** Whether it comes packed: parts of the file are no parts of that. */
  packed: boolean;
}

/** How a request ended: with the file, with the word that it is unchanged, or before its end. */
type Ended = 'whole' | 'unchanged' | Short;

/** What happened, in words. */
interface Short {
  readonly short: string;
  readonly cause?: unknown;
}

/**
 * Downloads a file. Where `unless` is given, the file may be unchanged, and its server may not answer. Throws a RuntimeError
 * that names the address, what happened and what to do, and the signal's reason.
 */
export async function download(
  url: string,
  options: DownloadOptions,
): Promise<Downloaded | 'unchanged' | Short> {
  const { kind, attempts, pause = 500, signal, note, unless } = options;
  const held: Held = { received: createReceived(), total: null, version: NO_VERSION, packed: false };
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const ended = await request(url, held, options);
    signal?.throwIfAborted();
    if (ended === 'unchanged') return ended;
    if (ended !== 'whole' && unless && held.received.length === 0) return ended;
    if (ended === 'whole') {
      const bytes = held.received.bytes();
      if (held.total === null) options.onBytes?.(bytes.length, bytes.length);
      return { bytes, version: held.version };
    }
    if (attempt >= attempts) {
      const times = attempts === 1 ? '' : ` at the last of ${attempts} requests`;
      throw new RuntimeError(kind, `${url}: ${ended.short}${times}; check the connection and load it again`, {
        cause: ended.cause,
      });
    }
    note?.(`${url}: ${ended.short}; it is asked for again`);
    await wait(pause * 2 ** (attempt - 1), signal);
  }
}

async function request(url: string, held: Held, options: DownloadOptions): Promise<Ended> {
  const watch = watchStall(options.stall ?? STALLED, options.signal);
  try {
    return await ask(url, held, options, watch);
  } finally {
    watch.end();
  }
}

async function ask(
  url: string,
  held: Held,
  { kind, get, unless, note, onBytes }: DownloadOptions,
  watch: StallWatch,
): Promise<Ended> {
  const { received } = held;
  const begun = received.length > 0 && !held.packed ? strongVersion(held.version) : null;
  const headers = {
    ...(received.length === 0 && unless),
    ...(begun !== null && { Range: `bytes=${received.length}-` }),
    // another server has to allow this header in a request of its own; there the versions are compared
    ...(begun !== null && !isElsewhere(url) && { 'If-Range': begun }),
  };
  let answer: Answer;
  try {
    answer = await get(url, { headers, signal: watch.signal });
  } catch (error) {
    if (!isServed(url)) {
      const said = `it cannot be read (${reasonOf(error)}); check the path, and whether the program may read it`;
      throw new RuntimeError(kind, `${url}: ${said}`, { cause: error });
    }
    return { short: `no answer (${reasonOf(error)})`, cause: error };
  }
  if (answer.status === 304 && unless !== undefined) return 'unchanged';
  if (answer.status === 416 || !answer.ok) {
    const said = `the server says ${`${answer.status} ${answer.statusText}`.trim()}`;
    await dismiss(answer);
    if (answer.status === 416 && begun !== null) received.begin(null);
    else if (!PASSING.includes(answer.status))
      throw new RuntimeError(kind, `${url}: ${said}; check the address`);
    return { short: said };
  }
  if (!goesOn(answer, held)) {
    if (begun !== null) note?.(`${url}: the server does not go on where it broke off; it comes anew`);
    const total = answer.status === 206 ? null : lengthOf(answer);
    try {
      received.begin(total);
    } catch {
      throw new RuntimeError(kind, `${url}: there is no memory for its ${total} bytes; take a smaller model`);
    }
    held.total = total;
    held.version = versionOf(answer);
    held.packed = isPacked(answer);
    if (answer.status === 206) {
      await dismiss(answer);
      return { short: 'the server sends another part of it than was asked for' };
    }
  }
  return receive(answer, held, () => {
    watch.alive();
    onBytes?.(held.received.length, held.total);
  });
}

/** Whether an answer has what comes behind the bytes that are there. */
function goesOn(answer: Answer, { received, total, version }: Held): boolean {
  const part = answer.status === 206 ? partOf(answer) : null;
  if (part === null || received.length === 0) return false;
  const fits = part.total === null || total === null || part.total === total;
  return part.first === received.length && fits && sameVersion(version, versionOf(answer));
}

/** @param tell called when something came */
async function receive(answer: Answer, held: Held, tell: () => void): Promise<Ended> {
  const { received } = held;
  tell();
  try {
    if (answer.body) {
      const reader = answer.body.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        received.append(next.value);
        // what was packed on the way, and does not say so, has more bytes than its length
        if (held.total !== null && received.length > held.total) held.total = null;
        tell();
      }
    } else {
      received.append(new Uint8Array(await answer.arrayBuffer()));
      tell();
    }
  } catch (error) {
    return { short: `the answer broke off (${reasonOf(error)}) ${placeOf(held)}`, cause: error };
  }
  if (held.total === null || received.length === held.total) return 'whole';
  return { short: `the answer ended ${placeOf(held)}: it is cut short` };
}

function placeOf({ received, total }: Held): string {
  return `at ${received.length} of ${total ?? 'so many'} bytes`;
}

/** Lets go of an answer whose body nobody reads. */
async function dismiss({ body }: Answer): Promise<void> {
  await body?.cancel().catch(() => undefined);
}

/** Waits so many milliseconds, or until the signal is aborted. */
function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
  });
}
