// Threads that decode: the batches of the thread that asks, whatever their number, and none of them left in the end.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, expect, test } from 'vitest';
import { pngFile } from '../fixtures/png-file.ts';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const api = pathToFileURL(path.join(import.meta.dirname, '..', '..', 'dist', 'engine', 'api.js')).href;

beforeEach(() => {
  fs.mkdirSync(at('set'));
  for (let i = 0; i < 300; i++) {
    const size = { width: 20 + (i % 37), height: 20 + (i % 23) };
    const content =
      i % 50 === 7
        ? Buffer.from('bad')
        : pngFile({ ...size, type: 2, bits: 8 }, (x, y, c) => (x * y * i + c * 7) % 256);
    fs.writeFileSync(at('set', `${i % 3}_${i}.png`), content);
  }
});

/** Runs a program with `openData` of the build; its answer is what it prints last. */
async function program(text: string): Promise<string> {
  const prelude = `
    import { createHash } from 'node:crypto';
    import { readdirSync } from 'node:fs';
    import { openData } from ${JSON.stringify(api)};
    const graph = ${JSON.stringify(SMALL_GRAPH)};
    const place = ${JSON.stringify(at('set'))};
    const threads = () => readdirSync('/proc/self/task').length;
  `;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', prelude + text], {
    timeout: 50_000,
  });
  return stdout.trim();
}

test('batches are the same whatever the number of threads', async () => {
  const answers = await program(`
    for (const workers of [0, 1, 3]) {
      const data = await openData(place, { graph, workers, seed: 4, flip: true, crop: 'random' });
      const hash = createHash('sha256');
      let count = 0;
      for await (const { x_start, samples } of data.steps({ batch: 25, from: 2 })) {
        hash.update(new Uint8Array(x_start.data.buffer)).update(samples.join());
        if (++count === 20) break;
      }
      const { count: skipped } = data.skipped();
      await data.close();
      console.log(data.threads, skipped, hash.digest('hex'));
    }
  `);
  const lines = answers.split('\n').map((line) => line.split(' '));
  expect(lines.map(([threads]) => threads)).toEqual(['0', '1', '3']);
  expect(lines.map(([, skipped]) => skipped)).toEqual(['6', '6', '6']);
  expect(new Set(lines.map(([, , hash]) => hash)).size).toBe(1);
});

test('close leaves no thread, and so does a signal in the middle of a batch', async () => {
  const answer = await program(`
    const cycle = async (stop) => {
      const data = await openData(place, { graph, workers: 3, signal: stop?.signal });
      const asked = data.steps({ batch: 24 }).next().catch((error) => error.message);
      if (stop) setTimeout(() => stop.abort(new Error('enough')), 5);
      const answer = await asked;
      const during = threads();
      await data.close();
      return { answer, during };
    };
    // libvips and the pool of libuv start threads of their own, a few more now and then
    await cycle();
    const before = threads();
    const { during } = await cycle();
    await cycle();
    const reasons = [];
    for (let i = 0; i < 2; i++) reasons.push((await cycle(new AbortController())).answer);
    console.log(JSON.stringify({ more: during - before >= 2, left: threads() - before, reasons }));
  `);
  const { more, left, reasons } = JSON.parse(answer);
  expect(more).toBe(true);
  // four times three would be left
  expect(left).toBeLessThan(5);
  expect(reasons).toEqual(Array(2).fill('enough'));
});

test('a data set that nobody closes keeps no process alive', async () => {
  const answer = await program(`
    const data = await openData(place, { graph, workers: 2 });
    const { value } = await data.steps({ batch: 4 }).next();
    console.log(value.x_start.shape.join());
  `);
  expect(answer).toBe('4,1,8,8');
});

test('a process of too few descriptors says so, and leaves no picture out', async () => {
  const cli = path.join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
  fs.writeFileSync(at('g.json'), SMALL_GRAPH);
  fs.mkdirSync(at('few'));
  for (let i = 0; i < 20; i++) {
    fs.writeFileSync(
      at('few', `${i}.png`),
      pngFile({ width: 9, height: 9, type: 2, bits: 8 }, () => i),
    );
  }
  const refused: string[] = [];
  for (const limit of [28, 34, 38, 42, 46]) {
    const words = `data ${at('few')} --graph ${at('g.json')} --workers 3 --json`;
    const command = `ulimit -n ${limit}; exec ${process.execPath} ${cli} ${words}`;
    const { stdout } = await promisify(execFile)('bash', ['-c', command]).catch(
      (error: { readonly stdout: string }) => error,
    );
    const found = JSON.parse(stdout) as { usable?: number; error?: { exit: number; message: string } };
    if (found.error === undefined) expect(found.usable).toBe(20);
    else refused.push(found.error.message);
    if (found.error !== undefined) expect(found.error.exit).toBe(5);
  }
  expect(refused.length).toBeGreaterThan(0);
  for (const message of refused) expect(message).toMatch(/too many (open files|files are open).*`ulimit -n`/);
});
