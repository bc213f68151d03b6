// Waiting for the GPU: the second pass sleeps through most of what the first one took.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createPause } from '../../runtime/pause.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const takes = (ms: number) => () => new Promise<string>((resolve) => setTimeout(() => resolve('done'), ms));

it('waits at once the first time, and sleeps before it asks the second time', async () => {
  const pause = createPause();
  const first = pause.until(takes(100));
  await vi.advanceTimersByTimeAsync(100);
  expect(await first).toBe('done');

  const start = vi.fn(takes(10));
  const second = pause.until(start);
  await vi.advanceTimersByTimeAsync(89);
  expect(start).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(start).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(10);
  expect(await second).toBe('done');
});

it('expects less when a pass is faster', async () => {
  const pause = createPause();
  const waits: number[] = [];
  for (const ms of [1000, 0, 0, 0]) {
    const begin = Date.now();
    const pass = pause.until(takes(ms));
    await vi.runAllTimersAsync();
    await pass;
    waits.push(Date.now() - begin);
  }
  expect(waits).toEqual([1000, 900, 810, 729]);
});

it('passes a failure on', async () => {
  const pause = createPause();
  await expect(pause.until(() => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
});
