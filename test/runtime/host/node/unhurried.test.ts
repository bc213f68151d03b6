// Dawn's looks for events, as its binding plans them: by the `setImmediate` that it finds each time.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { unhurried } from '../../../../runtime/host/node/unhurried.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Looks until `done`, as Dawn's binding does. */
function dawn(done: () => boolean): { readonly looks: () => number } {
  let looks = 0;
  const plan = () => {
    globalThis.setImmediate(() => {
      looks++;
      if (!done()) plan();
    });
  };
  plan();
  return { looks: () => looks };
}

it('lets Dawn look once a millisecond until it is done', async () => {
  const begin = Date.now();
  const { looks } = unhurried(() => dawn(() => Date.now() - begin >= 10));
  await vi.advanceTimersByTimeAsync(5);
  expect(looks()).toBe(5);
  await vi.runAllTimersAsync();
  expect(looks()).toBe(10);
});

it('leaves everybody else the usual setImmediate', async () => {
  const usual = globalThis.setImmediate;
  unhurried(() => dawn(() => false));
  expect(globalThis.setImmediate).toBe(usual);
  await vi.advanceTimersByTimeAsync(3);
  expect(globalThis.setImmediate).toBe(usual);
});

it('puts it back when the work throws, and passes results on', () => {
  const usual = globalThis.setImmediate;
  const throwing = () => {
    throw new Error('lost');
  };
  expect(() => unhurried(throwing)).toThrow('lost');
  expect(globalThis.setImmediate).toBe(usual);
  expect(unhurried(() => 3)).toBe(3);
});
