// The second device that compiles beside the first: it is gone when it is closed, with what the driver kept for it, and is left
// out where it is not wanted.

import { expect, test } from 'vitest';
import { openDevice } from '../../runtime/host/node/dawn.ts';

test('a twin that is closed is destroyed, and not lent to the next', async () => {
  const opened = await openDevice();
  // GPUs have none
  expect(opened.twin !== null).toBe(opened.adapter.isFallback);
  if (opened.twin !== null) {
    const [first, second] = [await opened.twin(), await opened.twin()];
    await first.close();
    expect((await first.device.lost).reason).toBe('destroyed');
    const third = await opened.twin();
    expect(third.device).not.toBe(first.device);
    third.check();
    await Promise.all([second.close(), third.close()]);
  }
  await opened.close();
});

test('a device that is to be alone has none', async () => {
  const opened = await openDevice({ alone: true });
  expect(opened.twin).toBeNull();
  await opened.close();
});
