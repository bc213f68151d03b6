// Devices on Dawn's null backend: what is asked for, what is missing, and errors that arrive on the side.

import { describe, expect, test, vi } from 'vitest';
import { findLacks } from '../../../../runtime/adapter.ts';
import { RuntimeError } from '../../../../runtime/errors.ts';
import { guard } from '../../../../runtime/guard.ts';
import { inspectAdapter, openNullDevice } from '../../../../runtime/host/node/dawn.ts';
import { unhurried } from '../../../../runtime/host/node/unhurried.ts';

describe('a device on the null backend', () => {
  test('has the default limits and only the features that were asked for', async () => {
    const opened = await openNullDevice({
      features: ['shader-f16'],
      limits: { maxStorageBuffersPerShaderStage: 8 },
    });
    expect(opened.adapter).toMatchObject({ device: 'null-backend', backend: 'null', isFallback: false });
    expect(opened.limits.maxStorageBuffersPerShaderStage).toBe(8);
    expect(opened.limits.maxComputeWorkgroupStorageSize).toBe(16384);
    expect(opened.limits.maxStorageBufferBindingSize).toBe(128 * 1024 * 1024);
    expect(opened.features.has('shader-f16')).toBe(true);
    expect(opened.features.has('subgroups')).toBe(false);
    await opened.close();
    await opened.close();
    expect(await opened.lost).toBeNull();
    opened.check();
  });

  test('every missing limit and feature is named at once, with required and offered', async () => {
    const opening = openNullDevice({
      features: ['subgroups', 'no-such-feature'],
      limits: { maxComputeWorkgroupStorageSize: 49152, maxBufferSize: 1024, no_such_limit: 3 },
    });
    await expect(opening).rejects.toMatchObject({ name: 'RuntimeError', kind: 'adapter' });
    const message = await opening.catch((error: RuntimeError) => error.message);
    expect(message).toContain('feature no-such-feature: required, not offered');
    expect(message).toContain('limit maxComputeWorkgroupStorageSize: required 49152, offered 16384');
    expect(message).toContain('limit no_such_limit: required 3, offered 0');
    expect(message).not.toContain('maxBufferSize');
    expect(message).not.toContain('feature subgroups');
    expect(message).toContain('--target generic');
  });

  test('an error outside of a guard is kept for check, the first one first', async () => {
    const opened = await openNullDevice();
    opened.check();
    opened.device.createBuffer({ size: 8, usage: 0x8000, label: 'first fault' });
    opened.device.createBuffer({ size: 8, usage: 0x8000, label: 'second fault' });
    await opened.device.queue.onSubmittedWorkDone();
    expect(() => opened.check()).toThrow(/usage/i);
    expect(() => opened.check()).toThrow(RuntimeError);
    await opened.close();
  });

  test('opening one leaves no row of hurried looks to what is asked for next', async () => {
    const hurried = vi.spyOn(globalThis, 'setImmediate');
    try {
      const { device, close } = await openNullDevice();
      await unhurried(() => device.queue.onSubmittedWorkDone());
      expect(hurried).not.toHaveBeenCalled();
      await device.queue.onSubmittedWorkDone();
      expect(hurried).toHaveBeenCalled();
      await close();
    } finally {
      hurried.mockRestore();
    }
  });

  test('inspecting does not open a device', async () => {
    const found = await inspectAdapter({ backend: 'null' });
    expect(found.adapter.device).toBe('null-backend');
    expect(found.limits.maxBindGroups).toBe(4);
    expect([...found.features]).toEqual([...found.features].sort());
  });
});

describe('guard', () => {
  test('returns what the work returns, and throws its validation error with what was done', async () => {
    const opened = await openNullDevice();
    const buffer = await guard(opened.device, 'make a buffer', () =>
      opened.device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE }),
    );
    expect(buffer.size).toBe(16);
    const failing = guard(opened.device, 'compile the kernel `broken`', () =>
      opened.device.createShaderModule({ code: 'fn main( {' }),
    );
    await expect(failing).rejects.toMatchObject({ kind: 'gpu' });
    await expect(failing).rejects.toThrow(/compile the kernel `broken`: the GPU refused a call/);
    // Nothing was left over for the device itself.
    opened.check();
    await opened.close();
  });

  test('what the work throws comes through, and the scopes are balanced again', async () => {
    const opened = await openNullDevice();
    const throwing = guard(opened.device, 'anything', () => {
      throw new TypeError('of our own');
    });
    await expect(throwing).rejects.toThrow(new TypeError('of our own'));
    // An unbalanced scope would swallow this one.
    opened.device.createBuffer({ size: 8, usage: 0x8000 });
    await opened.device.queue.onSubmittedWorkDone();
    expect(() => opened.check()).toThrow(/usage/i);
    await opened.close();
  });

  test('two guards at once keep their errors apart', async () => {
    const opened = await openNullDevice();
    const bad = guard(opened.device, 'bad', () => opened.device.createBuffer({ size: 8, usage: 0x8000 }));
    const good = guard(opened.device, 'good', () =>
      opened.device.createBuffer({ size: 8, usage: GPUBufferUsage.STORAGE }),
    );
    await expect(bad).rejects.toThrow(/^bad: /);
    await expect(good).resolves.toBeDefined();
    await opened.close();
  });
});

describe('findLacks', () => {
  const offered = {
    features: new Set(['subgroups']),
    limits: { maxA: 8, minStorageBufferOffsetAlignment: 256 },
  };

  test('an alignment must be small, any other limit large', () => {
    expect(findLacks(offered, { features: ['subgroups'], limits: { maxA: 8 } })).toEqual([]);
    const aligned = (n: number) =>
      findLacks(offered, { features: [], limits: { minStorageBufferOffsetAlignment: n } });
    expect(aligned(256)).toEqual([]);
    expect(aligned(64)).toEqual([
      { kind: 'limit', name: 'minStorageBufferOffsetAlignment', required: 64, offered: 256 },
    ]);
  });

  test('inherited names are no limits', () => {
    expect(findLacks(offered, { features: [], limits: { toString: 1 } })).toHaveLength(1);
  });
});
