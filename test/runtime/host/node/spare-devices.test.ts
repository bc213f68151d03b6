// Devices that are lent: what was made on one is destroyed when it comes back, and what is gone meanwhile is not held.

import { expect, test } from 'vitest';
import { collectGarbage } from '../../../../runtime/host/node/garbage.ts';
import { borrowDevice } from '../../../../runtime/host/node/spare-devices.ts';
import type { OpenedDevice } from '../../../../runtime/opened-device.ts';

/** A device that makes objects, which say when they are destroyed. */
function fakeDevice(destroyed: string[]): OpenedDevice {
  const make = ({ label }: { readonly label: string }) => ({ destroy: () => void destroyed.push(label) });
  const device = { createBuffer: make, createTexture: make, createQuerySet: make };
  return {
    device,
    lost: new Promise(() => {}),
    check: () => {},
    close: async () => {},
  } as unknown as OpenedDevice;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what is still there is destroyed when the device is given back, however much was made', async () => {
  const destroyed: string[] = [];
  const { device, close } = await borrowDevice({ key: 'a', timeout: null }, async () =>
    fakeDevice(destroyed),
  );
  const made = (label: string) => device.createBuffer({ label, size: 4, usage: 0 });
  const kept = [made('first')];
  for (let i = 0; i < 2000; i++) {
    made('gone');
    if (i % 100 === 0) await turn();
  }
  kept.push(made('last'));
  await close();
  expect(kept).toHaveLength(2);
  expect(destroyed[0]).toBe('first');
  expect(destroyed.at(-1)).toBe('last');
});

test('a device that is held for long does not grow by what was made on it and is gone', async () => {
  const { device, close } = await borrowDevice({ key: 'b', timeout: null }, async () => fakeDevice([]));
  const heap = (): number => {
    collectGarbage();
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const makeMany = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      for (let k = 0; k < 10_000; k++) device.createBuffer({ label: 'gone', size: 4, usage: 0 });
      await turn();
      collectGarbage();
    }
  };
  await makeMany();
  const before = heap();
  await makeMany();
  // a reference each would be more than eight megabytes
  expect(heap() - before).toBeLessThan(4e6);
  await close();
});
