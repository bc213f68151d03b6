// What nothing refers to any more is gone behind a collection that was asked for.

import { expect, test } from 'vitest';
import { collectGarbage } from '../../../../runtime/host/node/garbage.ts';

test('collects what nothing refers to, and nothing else', async () => {
  const kept = { values: new Float32Array(1 << 20) };
  const [left, held] = [new WeakRef({ values: new Float32Array(1 << 20) }), new WeakRef(kept)];
  // a weak reference holds what it was made of to the end of the turn
  await new Promise((resolve) => setTimeout(resolve));
  expect(left.deref()).toBeDefined();
  await new Promise((resolve) => setTimeout(resolve));
  collectGarbage();
  collectGarbage();
  expect(left.deref()).toBeUndefined();
  expect(held.deref()).toBe(kept);
  expect('gc' in globalThis).toBe(false);
});
