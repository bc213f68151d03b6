// Waiting for the GPU: the second pass sleeps through half of what the first one took.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createPause } from '../../../../runtime/host/node/pause.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const takes = (ms: number) => () => new Promise<string>((resolve) => setTimeout(() => resolve('done'), ms));

/** How long each of a row of passes is waited for, given how long each takes once it is asked for. */
async function waits(passes: readonly number[]): Promise<readonly number[]> {
  const pause = createPause(false);
  const waited: number[] = [];
  for (const ms of passes) {
    const begin = Date.now();
    const pass = pause.until(takes(ms));
    await vi.runAllTimersAsync();
    expect(await pass).toBe('done');
    waited.push(Date.now() - begin);
  }
  return waited;
}

it('sleeps through half of a pass before it asks', async () => {
  const pause = createPause(false);
  for (const ms of [5000, 100]) {
    const pass = pause.until(takes(ms));
    await vi.runAllTimersAsync();
    await pass;
  }
  const start = vi.fn(takes(10));
  const third = pause.until(start);
  await vi.advanceTimersByTimeAsync(49);
  expect(start).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(start).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(10);
  expect(await third).toBe('done');
});

it('does not expect the first pass again, in which drivers generate code', async () => {
  expect(await waits([5000, 0])).toEqual([5000, 0]);
});

it('expects less when a pass is faster, and no more when one was slow', async () => {
  expect(await waits([0, 1000, 0, 0])).toEqual([0, 1000, 500, 250]);
  expect(await waits([0, 100, 5000, 0])).toEqual([0, 100, 5050, 50]);
});

it('does not sleep where a timer is too coarse', async () => {
  expect(await waits([0, 4, 4, 4])).toEqual([0, 4, 4, 4]);
});

/** Whether passes are asked for once a millisecond, after two of `ms`. */
async function asksSlowly(ms: number, onProcessor: boolean): Promise<boolean> {
  const pause = createPause(onProcessor);
  const usual = globalThis.setImmediate;
  let slow = false;
  for (let pass = 0; pass < 3; pass++) {
    const done = pause.until(() => {
      slow = globalThis.setImmediate !== usual;
      return takes(ms)();
    });
    await vi.runAllTimersAsync();
    await done;
  }
  return slow;
}

it('asks a GPU all the time where a pass is short, a processor only where a timer is too coarse', async () => {
  expect(await asksSlowly(10, false)).toBe(false);
  expect(await asksSlowly(10, true)).toBe(true);
  expect(await asksSlowly(3, true)).toBe(false);
  expect(await asksSlowly(30, false)).toBe(false);
  expect(await asksSlowly(150, false)).toBe(true);
});

it('passes a failure on', async () => {
  const pause = createPause(false);
  await expect(pause.until(() => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
});
