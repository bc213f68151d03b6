import { spawn } from 'node:child_process';
import fs from 'node:fs';
import type { Writable } from 'node:stream';
import { afterEach, expect, test, vi } from 'vitest';
import { type Lock, refuseHeld, takeLock } from '../../../engine/jobs/lock.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const at = temporaryFolder();
const TIMES = { beat: 40, patience: 400 };

const held: Lock[] = [];
afterEach(() => {
  for (const lock of held.splice(0)) lock.release();
});

async function take(): Promise<Lock> {
  const lock = await takeLock(at('state/lock'), 'out', TIMES);
  held.push(lock);
  return lock;
}

/** Rewrites the lock as another holder's. */
function pretend(changes: Record<string, unknown>): void {
  const holder = JSON.parse(fs.readFileSync(at('state/lock'), 'utf8'));
  fs.writeFileSync(at('state/lock'), JSON.stringify({ ...holder, token: 'another', ...changes }));
}

test('one of many wins, and the others name it', async () => {
  const tries = await Promise.allSettled(Array.from({ length: 8 }, take));
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const { reason } = tries.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
  expect(reason).toMatchObject({ kind: 'output' });
  expect(reason.message).toContain(`out: process ${process.pid} on `);
  expect(() => refuseHeld(at('state/lock'), 'out')).toThrow('is writing there');
});

test('what was released can be taken, and nothing is left of it', async () => {
  (await take()).release();
  expect(fs.readdirSync(at('state'))).toEqual([]);
  await take();
});

test('a holder that died on this machine is no hindrance, even where its number is used again', async () => {
  await take();
  const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await new Promise((resolve) => gone.on('exit', resolve));
  pretend({ pid: gone.pid });
  await take();
  pretend({ started: 'long ago' });
  expect(() => refuseHeld(at('state/lock'), 'out')).not.toThrow();
  await take();
});

test('a holder that has ended is no hindrance before anybody has asked how', async () => {
  await take();
  // the shell becomes a process that never waits for its child, which ends behind that
  const parent = spawn('sh', ['-c', '(read -r _ <&3) & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  const pid = Number(await new Promise((resolve) => parent.stdout!.once('data', resolve)));
  const name = () => fs.readFileSync(`/proc/${parent.pid}/comm`, 'utf8').trim();
  await expect.poll(name, { timeout: 10_000 }).toBe('sleep');
  (parent.stdio[3] as Writable).end('\n');
  const stat = () => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  await expect.poll(() => stat()[0], { timeout: 10_000 }).toBe('Z');
  pretend({ pid, started: stat()[19] });
  await take();
  parent.kill();
});

test('what was left by processes that were killed while they took or broke it goes, and nothing else', async () => {
  fs.mkdirSync(at('state'));
  const left = `lock.${crypto.randomUUID()}`;
  for (const name of [left, 'lock.txt', 'state.json']) fs.writeFileSync(at(`state/${name}`), '');
  await take();
  expect(fs.readdirSync(at('state')).sort()).toEqual(['lock', 'lock.txt', 'state.json']);
});

test('a lock that cannot be written leaves nothing', async () => {
  const write = vi.spyOn(fs, 'writeFileSync').mockImplementationOnce((file) => {
    fs.closeSync(fs.openSync(file as string, 'w'));
    throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  });
  await expect(take()).rejects.toThrow('no space left');
  expect(write).toHaveBeenCalledOnce();
  write.mockRestore();
  expect(fs.readdirSync(at('state'))).toEqual([]);
});

test('a holder elsewhere lives while its lock is touched', async () => {
  await take();
  pretend({ place: 'elsewhere', host: 'node7', pid: 1 });
  const beat = setInterval(() => fs.utimesSync(at('state/lock'), new Date(), new Date()), 40);
  await expect(take()).rejects.toThrow('process 1 on node7');
  clearInterval(beat);
  await take();
});

test('a lock that is no holder’s, as a crash may leave it, is taken over', async () => {
  fs.mkdirSync(at('state'));
  fs.writeFileSync(at('state/lock'), '');
  await take();
});

test('a holder that was taken over is told', async () => {
  const lock = await take();
  lock.check();
  pretend({ host: 'node8', pid: 5 });
  expect(() => lock.check()).toThrow('process 5 on node8');
});
