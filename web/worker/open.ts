// Gets a page's model ready: by the runtime's own opening, with addresses and a cache of this model alone. What was kept of it
// is what it was: a page with other weights has another digest, and so other addresses.

import type { AnswerCache } from '../../runtime/host/web/kept.ts';
import { type OpenedModel, openModel } from '../../runtime/host/web/open-model.ts';
import type { OpenProgress } from '../../runtime/host/web/open-options.ts';
import type { PageModel, PagePart } from '../page-model.ts';

/** A model's place on the web and in the browser. */
export interface Place {
  readonly page: PageModel;
  /** The page's address. */
  readonly base: string;
}

export interface Opening {
  readonly signal: AbortSignal;
  onProgress(progress: OpenProgress): void;
  onNote(note: string): void;
}

/** Opens the model and its classifier. Throws as `openModel` does. */
export async function openPage(place: Place, opening: Opening): Promise<OpenedModel> {
  const { page } = place;
  await forgetOthers(place);
  return openModel({
    ...filesOf(page.model, place),
    classifier: page.classifier === null ? undefined : filesOf(page.classifier, place),
    cache: cacheOf(place),
    fetch: fetchUnlessKept,
    ...opening,
  });
}

function filesOf(
  { bundle, weights }: PagePart,
  place: Place,
): { readonly bundle: URL; readonly weights: URL } {
  return { bundle: addressOf(bundle, place), weights: addressOf(weights, place) };
}

function addressOf(file: string, { page, base }: Place): URL {
  return new URL(`${file}?${page.digest}`, base);
}

/** What is asked about a file that was kept is answered here: it cannot have changed, and a visit costs no request. */
async function fetchUnlessKept(
  url: string,
  init: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  const { headers = {} } = init;
  const asks = 'If-None-Match' in headers || 'If-Modified-Since' in headers;
  return asks ? new Response(null, { status: 304 }) : fetch(url, init);
}

function cacheOf({ page, base }: Place): string {
  return `unetc ${base} ${page.digest}`;
}

/** Whether all weights are here already. */
export async function isKept(place: Place): Promise<boolean> {
  if (globalThis.caches === undefined) return false;
  const { page } = place;
  try {
    if (!(await caches.has(cacheOf(place)))) return false;
    const cache: AnswerCache = await caches.open(cacheOf(place));
    const files = [page.model, ...(page.classifier === null ? [] : [page.classifier])].flatMap(
      ({ files }) => files,
    );
    const found = await Promise.all(files.map((file) => cache.match(addressOf(file, place).href)));
    return found.every((one) => one !== undefined);
  } catch {
    // private windows of some browsers have the interface, and refuse its use
    return false;
  }
}

/** Takes away what an older model of the page left. */
async function forgetOthers(place: Place): Promise<void> {
  if (globalThis.caches === undefined) return;
  try {
    const own = cacheOf(place);
    for (const other of await caches.keys()) {
      if (other.startsWith(`unetc ${place.base} `) && other !== own) await caches.delete(other);
    }
  } catch {
    // as above
  }
}
