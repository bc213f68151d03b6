// The process around a command: pipes that close, disks that are full, signals, strays. Needs the build.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const child = join(root, 'test', 'fixtures', 'process-child.mjs');

function shell(command: string): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', command], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** Starts a behaviour and waits until it says that it is ready. */
async function start(behaviour: string): Promise<{ running: ChildProcess; exit: Promise<number | null> }> {
  const running = spawn(process.execPath, [child, behaviour], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = new Promise<number | null>((resolve) => running.on('exit', resolve));
  await new Promise((resolve) => running.stderr?.once('data', resolve));
  return { running, exit };
}

test('the build is there', () => {
  expect(existsSync(join(root, 'dist', 'cli', 'process.js')), 'run `npm run build` first').toBe(true);
});

test('everything that was printed arrives before the process ends', () => {
  const { status, stdout } = shell(`node ${child} print | cat`);
  expect(status).toBe(0);
  expect(stdout.split('\n')).toHaveLength(20001);
});

test('a reader that has seen enough is no failure', () => {
  expect(shell(`node ${child} print | head -n 1`)).toEqual({ status: 0, stdout: 'line 0\n', stderr: '' });
});

test.skipIf(!existsSync('/dev/full'))('a full disk behind stdout exits 9', () => {
  const { status, stderr } = shell(`node ${child} print > /dev/full`);
  expect(status).toBe(9);
  expect(stderr).toMatch(/^error: .*ENOSPC/);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s lets the command stop and exits %i', async (signal, code) => {
  const { running, exit } = await start('polite');
  running.kill(signal);
  expect(await exit).toBe(code);
});

test('a second signal ends a command that does not listen', async () => {
  const { running, exit } = await start('deaf');
  running.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(running.exitCode).toBeNull();
  running.kill('SIGINT');
  expect(await exit).toBe(130);
});

test('a rejection that nobody awaits is our bug', () => {
  const { status, stderr } = shell(`node ${child} stray`);
  expect(status).toBe(70);
  expect(stderr).toContain('nobody awaits this');
  expect(stderr).toContain('this is a bug in unetc');
});

test('what still runs when the command is done does not keep the process', () => {
  expect(shell(`node ${child} lingering`).status).toBe(3);
});

test('no colour and no bar where stderr is no terminal', () => {
  expect(JSON.parse(shell(`node ${child} colors`).stdout)).toEqual({ interactive: false, color: false });
});
