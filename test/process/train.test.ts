// Processes that train and are killed, asked to stop, or left alone. Needs the build. UNETC_KILLS=50 kills more often.

import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { tinyGraph, writeTinyImages } from '../fixtures/tiny-training.ts';
import { contents, temporaryFolder } from '../temporary-folder.ts';

const KILLS = Number(process.env.UNETC_KILLS ?? 4);
const main = path.join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');
const at = temporaryFolder();

interface Run {
  readonly child: ChildProcess;
  printed(): string;
  readonly exit: Promise<number | null>;
}

function train(out: string, ...more: readonly string[]): Run {
  const words = [
    ...[
      'train',
      at('g.json'),
      '--data',
      at('d.safetensors'),
      '--reference',
      '--progress',
      'json',
      '--batch',
      '2',
    ],
    ...[
      '--save-interval',
      '4',
      '--log-interval',
      '3',
      '--sample-interval',
      '5',
      '--keep',
      '2',
      '--steps',
      '12',
    ],
  ];
  const child = spawn(process.execPath, [main, ...words, '--out', at(out), ...more], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  return { child, printed: () => text, exit: new Promise((resolve) => child.on('close', resolve)) };
}

async function printing(run: Run, pattern: RegExp): Promise<void> {
  while (!pattern.test(run.printed()) && run.child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

beforeEach(() => {
  fs.writeFileSync(at('g.json'), tinyGraph());
  writeTinyImages(at('d.safetensors'), 5);
});

test(`${KILLS} kills at random moments: resumed runs end with the bytes of the undisturbed one`, async () => {
  const begin = performance.now();
  const undisturbed = train('whole');
  expect(await undisturbed.exit, undisturbed.printed()).toBe(0);
  const duration = performance.now() - begin;
  const whole = contents(at('whole'));
  let [kills, folder] = [0, 0];
  for (;;) {
    const run = train(`run${folder}`);
    const timer =
      kills < KILLS ? setTimeout(() => run.child.kill('SIGKILL'), Math.random() * duration) : null;
    const code = await run.exit;
    if (timer !== null) clearTimeout(timer);
    if (code === null) {
      kills++;
      continue;
    }
    expect(code, run.printed()).toBe(0);
    expect(contents(at(`run${folder++}`))).toEqual(whole);
    if (kills >= KILLS) break;
  }
}, 600_000);

test('SIGTERM saves the step under way, and the run goes on with the next', async () => {
  const run = train('run', '--steps', '100000');
  await printing(run, /"event":"saved","step":4,/);
  run.child.kill('SIGTERM');
  expect(await run.exit).toBe(143);
  const position = Number(
    /model(\d+)\.safetensors/.exec(
      Object.keys(contents(at('run')))
        .filter((name) => name.startsWith('model'))
        .at(-1)!,
    )![1],
  );
  expect(position).toBeGreaterThan(4);
  expect(fs.existsSync(at('run/.unetc'))).toBe(false);
  const again = train('run', '--steps', String(position + 1));
  expect(await again.exit, again.printed()).toBe(0);
  expect(JSON.parse(again.printed().split('\n')[0]!).from).toBe(position);
}, 120_000);

test('of two writers one wins, and the other exits 9 and names it', async () => {
  const first = train('run', '--steps', '1000');
  await printing(first, /"event":"start"/);
  const second = train('run', '--steps', '1000');
  expect(await second.exit).toBe(9);
  expect(second.printed()).toContain(`process ${first.child.pid} on `);
  first.child.kill('SIGKILL');
  await first.exit;
}, 120_000);
