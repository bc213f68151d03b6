// Files that are kept for the next visit: what is asked of servers then, and what happens where nothing can be kept.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { sha256 } from '../../../../runtime/bundle.ts';
import { createFiles } from '../../../../runtime/host/web/files.ts';
import { type AnswerCache, type CacheChoice, openKept } from '../../../../runtime/host/web/kept.ts';
import { createTally, type DownloadProgress } from '../../../../runtime/host/web/tally.ts';
import { type LocalServer, type Manners, serve } from '../../../fixtures/local-server.ts';

const file = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 251);
const other = file.toReversed();

let server: LocalServer;
afterEach(async () => {
  vi.unstubAllGlobals();
  await server.close();
});

/** A cache as a browser's is, in memory; `full` refuses what is put into it. */
function cacheInMemory(full = false): AnswerCache & { readonly answers: Map<string, Response> } {
  const answers = new Map<string, Response>();
  return {
    answers,
    match: async (url) => answers.get(url)?.clone(),
    async put(url, answer) {
      if (full) throw new DOMException('no room', 'QuotaExceededError');
      answers.set(url, answer);
    },
  };
}

/** Visits that read the file of a server, with the cache that they share. */
async function visitsOf(manners: Manners, cache: CacheChoice = cacheInMemory()) {
  server = await serve(file, manners);
  return async (isCurrent?: () => Promise<boolean>) => {
    const notes: string[] = [];
    const told: DownloadProgress[] = [];
    const note = (text: string) => void notes.push(text.replace(server.url, 'W'));
    const files = createFiles({
      ...{ get: fetch, attempts: 1, note, kept: await openKept(cache, note) },
      tally: createTally((progress) => void told.push(progress)),
    });
    const before = server.sent();
    const bytes = await files.read(server.url, 'weights', isCurrent);
    return { bytes, notes, from: told.at(-1)!.from, loaded: server.sent() - before };
  };
}

describe('a second visit', () => {
  test('loads nothing where the file is as it was', async () => {
    const visit = await visitsOf({});
    expect(await visit()).toMatchObject({ from: 'server', loaded: 1000, notes: [] });
    expect(await visit()).toEqual({ bytes: file, from: 'cache', loaded: 0, notes: [] });
    expect(server.ranges).toHaveLength(2);
  });

  test('asks nobody for a file that is known to be current', async () => {
    const visit = await visitsOf({});
    await visit();
    expect(await visit(async () => true)).toMatchObject({ from: 'cache', loaded: 0 });
    expect(server.ranges).toHaveLength(1);
    expect(await visit(async () => false)).toMatchObject({ from: 'server', loaded: 1000 });
  });

  test('loads a file that was changed', async () => {
    const visit = await visitsOf({ version: (nth) => (nth === 1 ? file : other) });
    await visit();
    expect(await visit()).toMatchObject({ bytes: other, loaded: 1000 });
    expect(await visit()).toMatchObject({ bytes: other, loaded: 0 });
  });

  test('has what was kept where the server is gone, and says so', async () => {
    const visit = await visitsOf({});
    await visit();
    await server.close();
    const { bytes, notes } = await visit();
    expect(bytes).toEqual(file);
    expect(notes).toEqual([
      expect.stringMatching(/^W: no answer \(.*\); what was kept of another visit is taken$/),
    ]);
  });

  test('loads again what was kept by halves', async () => {
    const cache = cacheInMemory();
    const visit = await visitsOf({}, cache);
    await visit();
    const [[url, answer]] = [...cache.answers] as [[string, Response]];
    cache.answers.set(url, new Response(file.subarray(0, 10), { headers: answer.headers }));
    expect(await visit()).toMatchObject({ bytes: file, loaded: 1000 });
  });
});

describe('a file whose digest is known', () => {
  const readsBy = async (manners: Manners) => {
    server = await serve(file, manners);
    const kept = (await openKept(cacheInMemory(), () => undefined))!;
    const digests = new Map([[server.url, await sha256(file)]]);
    return { kept, files: createFiles({ get: fetch, attempts: 1, kept, digests }) };
  };

  test('is taken from what was kept without asking, and nothing else is', async () => {
    const { kept, files } = await readsBy({});
    await kept.keep(server.url, { bytes: other, version: { etag: '"x"', modified: null } });
    expect(await files.read(server.url, 'weights')).toEqual(file);
    expect(await files.read(server.url, 'weights')).toEqual(file);
    expect(server.ranges).toHaveLength(1);
  });

  test('is refused where the server has another, which is not kept', async () => {
    const { files } = await readsBy({ version: (nth) => (nth === 1 ? other : file) });
    await expect(files.read(server.url, 'weights')).rejects.toMatchObject({
      kind: 'weights',
      message: expect.stringMatching(
        /: 1000 bytes came, whose SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}; the server/,
      ),
    });
    expect(await files.read(server.url, 'weights')).toEqual(file);
  });
});

test('what was kept and what is newer are not mixed', async () => {
  server = await serve(file, { version: (nth) => (nth === 1 ? file : other) });
  const kept = (await openKept(cacheInMemory(), () => undefined))!;
  const gone = `${server.url}?gone`;
  await createFiles({ get: fetch, attempts: 1, kept }).read(server.url, 'weights');
  await kept.keep(gone, { bytes: file, version: { etag: '"x"', modified: null } });
  const get = (url: string, init?: object) =>
    url === gone ? Promise.reject(new Error('gone')) : fetch(url, init);
  const files = createFiles({ get, attempts: 1, kept });
  await files.read(server.url, 'weights');
  await expect(files.read(gone, 'weights')).rejects.toThrow('files of two versions do not go together');
});

test.each<[string, CacheChoice, RegExp]>([
  [
    'is full',
    cacheInMemory(true),
    /^W is not kept for the next visit: the storage that the browser grants is full; the model/,
  ],
  [
    'fails',
    { match: () => Promise.reject(new Error('x')), put: () => Promise.reject(new Error('broken')) },
    /: broken; the model/,
  ],
])('a cache that %s is a note, and the file is there', async (_, cache, note) => {
  const visit = await visitsOf({}, cache);
  expect(await visit()).toMatchObject({ bytes: file, notes: [expect.stringMatching(note)] });
  expect(await visit()).toMatchObject({ bytes: file, loaded: 1000 });
});

test('a host that gives no cache keeps nothing', async () => {
  const visit = await visitsOf({}, true);
  vi.stubGlobal('caches', undefined);
  expect(await visit()).toMatchObject({ loaded: 1000, notes: [] });
  vi.stubGlobal('caches', { open: () => Promise.reject(new Error('not here')) });
  expect((await visit()).notes).toEqual([
    'nothing is kept for the next visit: the host gives no cache (not here)',
  ]);
  const opened: string[] = [];
  vi.stubGlobal('caches', {
    open: async (name: string) => {
      opened.push(name);
      return cacheInMemory();
    },
  });
  await visit();
  expect(opened).toEqual(['unetc']);
});

test('a second page waits for the first, says so, and loads nothing', async () => {
  // one lock at a time, in the order of the requests, as browsers give them
  let last: Promise<unknown> = Promise.resolve();
  let held = false;
  const request = async (
    _: string,
    { ifAvailable }: { ifAvailable?: boolean },
    work: (lock: object | null) => unknown,
  ) => {
    if (ifAvailable && held) return work(null);
    const before = last;
    held = true;
    last = before
      .then(async () => work({}))
      .finally(() => {
        held = false;
      });
    return last;
  };
  vi.stubGlobal('navigator', { locks: { request } });
  const visit = await visitsOf({});
  const [first, second] = await Promise.all([visit(), visit()]);
  expect(first).toMatchObject({ from: 'server', notes: [] });
  expect(second).toMatchObject({
    bytes: file,
    from: 'cache',
    notes: ['W: another page loads it, and this one waits, here and for what it loads after it'],
  });
  expect(server.sent()).toBe(1000);
});
