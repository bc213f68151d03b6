// Devices on a real adapter (lavapipe at the least): opened, watched, given back.

import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inspectAdapter, listAdapters, openDevice } from '../../runtime/host/node/dawn.ts';
import { collectGarbage } from '../../runtime/host/node/garbage.ts';

test('the adapter that is inspected is one of those that are listed', async () => {
  const names = await listAdapters();
  expect(names.length).toBeGreaterThan(0);
  const found = await inspectAdapter();
  expect(found.adapter.vendor).not.toBe('');
  expect(found.adapter.subgroupMinSize).toBeGreaterThan(0);
  expect(found.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
});

test('a limit above the defaults is granted where the adapter has it', async () => {
  const { limits } = await inspectAdapter();
  const most = limits.maxComputeWorkgroupStorageSize ?? 0;
  const opened = await openDevice({
    requires: { features: [], limits: { maxComputeWorkgroupStorageSize: most } },
  });
  expect(opened.limits.maxComputeWorkgroupStorageSize).toBe(most);
  await opened.close();
});

test('limits beyond the adapter are named', async () => {
  const opening = openDevice({
    requires: { features: [], limits: { maxComputeInvocationsPerWorkgroup: 1e9 } },
  });
  await expect(opening).rejects.toMatchObject({ kind: 'adapter' });
  await expect(opening).rejects.toThrow(
    /maxComputeInvocationsPerWorkgroup: required 1000000000, offered \d+/,
  );
});

test('an adapter that is not there is named beside those that are', async () => {
  const opening = openDevice({ adapter: 'Voodoo 2' });
  await expect(opening).rejects.toMatchObject({ kind: 'adapter' });
  await expect(opening).rejects.toThrow(/Available adapters/);
});

test('buffers survive a round trip, and many devices in a row leave nothing behind', async () => {
  for (let round = 0; round < 5; round++) {
    const opened = await openDevice();
    const { device } = opened;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = device.createBuffer({ size: 16, usage });
    const back = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    device.queue.writeBuffer(buffer, 0, new Float32Array([1, 2, 3, round]));
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, back, 0, 16);
    device.queue.submit([encoder.finish()]);
    await back.mapAsync(GPUMapMode.READ);
    expect([...new Float32Array(back.getMappedRange())]).toEqual([1, 2, 3, round]);
    back.unmap();
    opened.check();
    await opened.close();
    expect(await opened.lost).toBeNull();
  }
});

/** Loses a device that has compiled something, for which Dawn has given it a thread. */
async function loseOne(): Promise<void> {
  const opened = await openDevice();
  await opened.pipelines.get('nothing', '@compute @workgroup_size(1) fn main() {}');
  opened.device.destroy();
  expect(await opened.lost).toMatchObject({ kind: 'gpu' });
  expect(() => opened.check()).toThrow(/the GPU device was lost/);
  await opened.close();
}

test.skipIf(process.platform !== 'linux')(
  'devices that were lost are given back, with their threads',
  async () => {
    await loseOne();
    const threads = () => readdirSync('/proc/self/task').length;
    const before = threads();
    for (let i = 0; i < 12; i++) await loseOne();
    for (let i = 0; i < 20 && threads() > before + 4; i++) {
      collectGarbage();
      await setTimeout(100);
    }
    expect(threads()).toBeLessThanOrEqual(before + 4);
  },
);
