// What does not end is given up, and what ends late is not.

import { expect, test, vi } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { createWatchdog, patienceFor } from '../../runtime/watchdog.ts';
import { goldenGraph } from '../golden-cases.ts';

const never = () => new Promise<never>(() => undefined);

test('work that does not end rejects with what it was, and the device is given up', async () => {
  const abandon = vi.fn();
  const { until, seconds } = createWatchdog({ abandon, timeout: 0.1 }, 60);
  expect(seconds).toBe(0.1);
  const waiting = [until(never(), () => 'kernels/conv.wgsl'), until(never(), () => 'another')];
  const outcomes = await Promise.allSettled(waiting);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'gpu' } });
    expect(String((outcome as PromiseRejectedResult).reason)).toMatch(
      /kernels\/conv\.wgsl did not end within 0\.1 s.*--timeout/,
    );
  }
  expect(abandon).toHaveBeenCalledOnce();
});

test('what ends passes through, its error too', async () => {
  const abandon = vi.fn();
  const { until } = createWatchdog({ abandon, timeout: null }, 60);
  expect(await until(Promise.resolve(3), () => 'work')).toBe(3);
  await expect(until(Promise.reject(new Error('lost')), () => 'work')).rejects.toThrow('lost');
  expect(abandon).not.toHaveBeenCalled();
});

test('work on a device that is lost rejects with the loss, and what comes after a close is left alone', async () => {
  const abandon = vi.fn();
  const error = new RuntimeError('gpu', 'the GPU device was lost');
  const { until } = createWatchdog({ abandon, timeout: null, lost: Promise.resolve(error) }, 60);
  await expect(until(never(), () => 'work')).rejects.toBe(error);
  const closed = createWatchdog({ abandon, timeout: null, lost: Promise.resolve(null) }, 60);
  expect(await closed.until(Promise.resolve(3), () => 'work')).toBe(3);
  expect(abandon).not.toHaveBeenCalled();
});

test('a part that ends is a sign of life', async () => {
  const abandon = vi.fn();
  const { until, alive } = createWatchdog({ abandon, timeout: 0.4 }, 60);
  const beating = setInterval(alive, 20);
  const work = new Promise((resolve) => setTimeout(resolve, 1000, 'done'));
  expect(await until(work, () => 'slow work')).toBe('done');
  clearInterval(beating);
  expect(abandon).not.toHaveBeenCalled();
});

test('a pass has a minute, or twenty times what a slow adapter takes for it', () => {
  const { graph } = loadGraph(goldenGraph('tiny-film'), 'tiny-film');
  const { manifest } = compileGraph(graph).bundle;
  expect(patienceFor(manifest, true)).toBe(60);
  const large = { dispatches: manifest.dispatches.map((one) => ({ ...one, flops: 1e12 })) };
  expect(patienceFor(large, true)).toBe((20 * 1e12 * large.dispatches.length) / 1e10);
  expect(patienceFor(large, false)).toBeLessThan(patienceFor(large, true));
});
