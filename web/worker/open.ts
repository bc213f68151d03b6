// Gets a page's model ready: by the runtime's own opening, with addresses and a cache of this model alone. Every file has the
// digest that the page was written with, or is refused: a page with other weights has other digests, and other addresses.

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
    digests: digestsOf(place),
    fetch: fetchAnew,
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

/** What is kept is kept by us, whole and known by its digest: a second copy of the browser's own would be of no use. */
function fetchAnew(
  url: string,
  init: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(url, { ...init, cache: 'no-store' });
}

/** What files have to be, by their addresses. */
function digestsOf(place: Place): ReadonlyMap<string, string> {
  const parts = [place.page.model, ...(place.page.classifier === null ? [] : [place.page.classifier])];
  const all = parts.flatMap(({ digests }) => Object.entries(digests));
  return new Map(all.map(([file, digest]) => [addressOf(file, place).href, digest]));
}

function cacheOf({ page, base }: Place): string {
  return `unetc ${base} ${page.digest}`;
}

/** Whether all weights are here already. */
export async function isKept(place: Place): Promise<boolean> {
  if (globalThis.caches === undefined) return false;
  try {
    if (!(await caches.has(cacheOf(place)))) return false;
    const cache: AnswerCache = await caches.open(cacheOf(place));
    const found = await Promise.all([...digestsOf(place).keys()].map((address) => cache.match(address)));
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
