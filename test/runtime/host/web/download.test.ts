// Downloads from a real server that breaks off, forgets ranges, changes the file, or sends too little.

import { afterEach, describe, expect, test } from 'vitest';
import type { Fetch } from '../../../../runtime/host/web/answer.ts';
import { download, downloadWhole } from '../../../../runtime/host/web/download.ts';
import { type LocalServer, type Manners, serve } from '../../../fixtures/local-server.ts';

const file = Uint8Array.from({ length: 10_000 }, (_, i) => (i * 7) % 251);
const other = file.toReversed();

let server: LocalServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

/** Downloads the file from a server of these manners; pauses between requests are short. */
async function fetched(manners: Manners, attempts = 4) {
  server = await serve(file, manners);
  const notes: string[] = [];
  const told: number[] = [];
  const { bytes } = await downloadWhole(server.url, {
    ...{
      kind: 'weights',
      get: fetch,
      attempts,
      pause: 1,
      stall: 300,
      note: (text) => notes.push(text.replace(server!.url, 'W')),
    },
    onBytes: (received) => told.push(received),
  });
  return { bytes, notes, told, ranges: server.ranges, sent: server.sent() };
}

describe('a download', () => {
  test('that nothing disturbs is one request', async () => {
    const { bytes, notes, told, ranges } = await fetched({});
    expect(bytes).toEqual(file);
    expect(notes).toEqual([]);
    expect([told[0], told.at(-1)]).toEqual([0, file.length]);
    expect(ranges).toEqual([null]);
  });

  test('goes on where it broke off, twice', async () => {
    const { bytes, notes, ranges, sent } = await fetched({ breaks: (nth) => (nth < 3 ? 3_000 : null) });
    expect(bytes).toEqual(file);
    expect(ranges).toEqual([null, 'bytes=3000-', 'bytes=6000-']);
    expect(sent).toBe(file.length);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toMatch(
      /^W: the answer broke off \(.*\) at 3000 of 10000 bytes; it is asked for again$/,
    );
  });

  test('comes anew from a server without ranges, and says so', async () => {
    const { bytes, notes, ranges } = await fetched({
      ranges: false,
      breaks: (nth) => (nth === 1 ? 3_000 : null),
    });
    expect(bytes).toEqual(file);
    expect(ranges).toEqual([null, 'bytes=3000-']);
    expect(notes.at(-1)).toBe('W: the server does not go on where it broke off; it comes anew');
  });

  test('comes anew where the server does not say which version it has', async () => {
    const { bytes, ranges } = await fetched({ tagged: false, breaks: (nth) => (nth === 1 ? 3_000 : null) });
    expect(bytes).toEqual(file);
    expect(ranges).toEqual([null, null]);
  });

  test('is of one version, where the file changes in between', async () => {
    const { bytes } = await fetched({
      breaks: (nth) => (nth === 1 ? 3_000 : null),
      version: (nth) => (nth === 1 ? file : other),
    });
    expect(bytes).toEqual(other);
  });

  test('without a length ends where its answer ends', async () => {
    expect((await fetched({ sized: false })).bytes).toEqual(file);
  });

  test('is asked for again where the server is busy, and not where there is no such file', async () => {
    const { bytes, notes } = await fetched({ status: (nth) => (nth === 1 ? 503 : null) });
    expect(bytes).toEqual(file);
    expect(notes).toEqual(['W: the server says 503 Service Unavailable; it is asked for again']);
    await server?.close();
    await expect(fetched({ status: () => 404 })).rejects.toThrow(
      'the server says 404 Not Found; check the address',
    );
    expect(server!.ranges).toHaveLength(1);
  });

  test('of which nothing comes any more goes on by another request', async () => {
    const { bytes, notes, ranges } = await fetched({ stalls: (nth) => (nth === 1 ? 3_000 : null) });
    expect(bytes).toEqual(file);
    expect(ranges).toEqual([null, 'bytes=3000-']);
    expect(notes[0]).toContain('the answer broke off (nothing came for 0.3 s) at 3000 of 10000 bytes');
  });

  test('that always breaks off is given up, with what was there', async () => {
    const failing = fetched({ ranges: false, breaks: () => 10 }, 3);
    await expect(failing).rejects.toMatchObject({ name: 'RuntimeError', kind: 'weights' });
    await expect(failing).rejects.toThrow(
      /at 10 of 10000 bytes at the last of 3 requests; check the connection and load it again$/,
    );
    expect(server!.ranges).toHaveLength(3);
  });

  test('of a server that is not there is told', async () => {
    server = await serve(file);
    const { url } = server;
    await server.close();
    const options = { kind: 'weights', get: fetch, attempts: 1 } as const;
    await expect(downloadWhole(url, options)).rejects.toThrow(/: no answer \(.*\); check the connection/);
  });

  test('ends with its signal, also between two requests', async () => {
    server = await serve(file, { breaks: () => 10 });
    const ending = new AbortController();
    const note = () => ending.abort(new Error('enough'));
    const options = { kind: 'weights', get: fetch, attempts: 9, signal: ending.signal, note } as const;
    const begun = performance.now();
    await expect(downloadWhole(server.url, options)).rejects.toThrow('enough');
    expect(performance.now() - begun).toBeLessThan(400);
    expect(server.ranges).toHaveLength(1);
  });

  test('is none where the file is as it was', async () => {
    server = await serve(file);
    const options = { kind: 'weights', get: fetch, attempts: 1 } as const;
    const { version } = await downloadWhole(server.url, options);
    expect(await download(server.url, { ...options, unless: { 'If-None-Match': version.etag! } })).toBe(
      'unchanged',
    );
    expect(server.sent()).toBe(file.length);
  });
});

test('an answer that is shorter than its length is cut short', async () => {
  const get: Fetch = async () => new Response('abc', { headers: { 'content-length': '5' } });
  const failing = downloadWhole('W', { kind: 'weights', get, attempts: 1 });
  await expect(failing).rejects.toThrow(
    'W: the answer ended at 3 of 5 bytes: it is cut short; check the connection',
  );
});

test('an answer that is packed on the way says nothing of its length', async () => {
  const headers = { 'content-length': '2', 'content-encoding': 'gzip', etag: '"1"' };
  const asked: unknown[] = [];
  const get: Fetch = async (_, init) => {
    asked.push(init?.headers);
    const body =
      asked.length === 1
        ? new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode('ab'));
              queueMicrotask(() => controller.error(new Error('gone')));
            },
          })
        : 'abcd';
    return new Response(body, { headers });
  };
  const totals: (number | null)[] = [];
  const { bytes } = await downloadWhole('W', {
    kind: 'weights',
    get,
    attempts: 2,
    pause: 1,
    onBytes: (_, total) => totals.push(total),
  });
  expect(new TextDecoder().decode(bytes)).toBe('abcd');
  expect(asked).toEqual([{}, {}]);
  expect(totals.slice(0, -1).every((total) => total === null)).toBe(true);
  expect(totals.at(-1)).toBe(4);
});
