// Processes that are killed while they sample: what they leave, and what becomes of it. Needs the build.
// UNETC_KILLS=50 kills more often than the few times that are enough in between.

import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { SMALL_GRAPH } from '../fixtures/small-graph.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const KILLS = Number(process.env.UNETC_KILLS ?? 4);
const main = path.join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
const at = temporaryFolder();

interface Run {
  readonly child: ChildProcess;
  /** What was printed to stderr so far. */
  printed(): string;
  readonly exit: Promise<number | null>;
}

function sample(out: string, ...more: readonly string[]): Run {
  const graph = at('small.json');
  fs.writeFileSync(graph, SMALL_GRAPH);
  const job = `--weights hash:1 --size 4x4 --seeds 0-3 --batch 2 --steps 8 --checkpoint-every 2 --reference --progress json`;
  const words = ['sample', graph, ...job.split(' '), '--out', at(out), ...more];
  const child = spawn(process.execPath, [main, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, printed: () => text, exit };
}

/** Resolves when a run has printed something like `pattern`. */
async function printing(run: Run, pattern: RegExp): Promise<void> {
  while (!pattern.test(run.printed()) && run.child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Every file of a folder with its bytes, those of a run under way too. */
function contents(out: string): Map<string, string> {
  const names = fs.existsSync(at(out)) ? fs.readdirSync(at(out), { recursive: true, encoding: 'utf8' }) : [];
  const files = names.filter((name) => fs.statSync(at(out, name)).isFile());
  return new Map(files.sort().map((name) => [name, fs.readFileSync(at(out, name)).toString('hex')]));
}

test(`${KILLS} kills at random moments leave no torn file, and resumed runs end with the same bytes`, async () => {
  const begin = performance.now();
  expect(await sample('whole').exit).toBe(0);
  const whole = contents('whole');
  const duration = performance.now() - begin;
  expect(whole.size).toBe(4 + 2);
  let [kills, folder] = [0, 0];
  while (kills < KILLS) {
    const run = sample(`out${folder}`);
    const moment = Math.random() * duration;
    const timer = setTimeout(() => run.child.kill('SIGKILL'), moment);
    const code = await run.exit;
    clearTimeout(timer);
    const found = contents(`out${folder}`);
    // a final name has all its bytes, whenever it is looked at
    for (const [name, bytes] of found) {
      if (!name.includes('.unetc') && !name.endsWith('.tmp')) expect(whole.get(name), name).toBe(bytes);
    }
    if (code === null) {
      kills++;
      continue;
    }
    expect(code, run.printed()).toBe(0);
    expect(found).toEqual(whole);
    folder++;
  }
  const last = sample(`out${folder}`);
  expect(await last.exit, last.printed()).toBe(0);
  expect(contents(`out${folder}`)).toEqual(whole);
}, 600_000);

test('SIGTERM ends a run within two seconds, and what was begun is not begun again', async () => {
  const run = sample('out');
  await printing(run, /"event":"step"/);
  const begin = performance.now();
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(143);
  // and a second for a machine that has other things to do
  expect(performance.now() - begin).toBeLessThan(3000);
  expect(contents('out').has('.unetc/job/chains.safetensors')).toBe(true);
  expect(contents('out').has('.unetc/job/lock')).toBe(false);
  const again = sample('out');
  expect(await again.exit).toBe(0);
  const [start] = again.printed().split('\n');
  expect(JSON.parse(start!).steps).toBeLessThan(2 * 8);
});

test('of two writers one wins, and the other exits 9 and names it', async () => {
  // long enough to be writing still when the other one has started
  const first = sample('out', '--steps', '1000');
  await printing(first, /"event":"start"/);
  const second = sample('out', '--steps', '1000');
  expect(await second.exit).toBe(9);
  expect(second.printed()).toContain(`process ${first.child.pid} on `);
  first.child.kill('SIGKILL');
  await first.exit;
});
