// What an answer of a server says of the file behind it: how long it is, which version, and which part of it comes.

/** What is used of `fetch`: the page's own, or one that adds headers or comes from elsewhere. */
export type Fetch = (
  url: string,
  init?: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal },
) => Promise<Answer>;

/** What is used of a `Response`. */
export type Answer = Pick<Response, 'ok' | 'status' | 'statusText' | 'text' | 'arrayBuffer'> &
  Partial<Pick<Response, 'headers' | 'body'>>;

/** What tells one version of a file from another. */
export interface Version {
  readonly etag: string | null;
  readonly modified: string | null;
}

export const NO_VERSION: Version = { etag: null, modified: null };

export function versionOf({ headers }: Pick<Answer, 'headers'>): Version {
  return { etag: headers?.get('etag') ?? null, modified: headers?.get('last-modified') ?? null };
}

/** The version as `If-Range` takes it: a strong tag, or a date; null where there is neither. */
export function strongVersion({ etag, modified }: Version): string | null {
  return etag !== null && !etag.startsWith('W/') ? etag : modified;
}

/** Whether two answers may be of one version, as far as both say. */
export function sameVersion(a: Version, b: Version): boolean {
  const differ = (one: string | null, other: string | null) =>
    one !== null && other !== null && one !== other;
  return !differ(a.etag, b.etag) && !differ(a.modified, b.modified);
}

/** The headers that ask whether there is another version than this one. */
export function unlessChanged({ etag, modified }: Version): Readonly<Record<string, string>> {
  if (etag !== null) return { 'If-None-Match': etag };
  return modified === null ? {} : { 'If-Modified-Since': modified };
}

/** Whether what comes is packed on the way: its length and its parts are not those of the file then. */
export function isPacked({ headers }: Pick<Answer, 'headers'>): boolean {
  return !['', 'identity'].includes(headers?.get('content-encoding') ?? '');
}

/** Bytes that the answer has; null where it does not say. */
export function lengthOf(answer: Pick<Answer, 'headers'>): number | null {
  const length = answer.headers?.get('content-length') ?? null;
  return length === null || !/^\d+$/.test(length) || isPacked(answer) ? null : Number(length);
}

/** Where the part of an answer 206 begins, and how long the whole file is; null where it says nothing of use. */
export function partOf({ headers }: Pick<Answer, 'headers'>): {
  readonly first: number;
  readonly total: number | null;
} | null {
  const found = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers?.get('content-range') ?? '');
  return found && { first: Number(found[1]), total: found[2] === '*' ? null : Number(found[2]) };
}

/** Whether a server is behind an address: one that is relative, or its own; no `file:`, `blob:` or `data:`. */
export function isServed(url: string): boolean {
  return /^https?:/i.test(url) || !/^[a-z][a-z0-9+.-]*:/i.test(url);
}

/** Whether an address is of another server than the page's, which must allow what is not simple beforehand. */
export function isElsewhere(url: string): boolean {
  const { location } = globalThis as {
    readonly location?: { readonly href: string; readonly origin: string };
  };
  if (location === undefined || !/^https?:/.test(location.href)) return false;
  return new URL(url, location.href).origin !== location.origin;
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
