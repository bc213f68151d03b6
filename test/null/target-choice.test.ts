import { describe, expect, test } from 'vitest';
import { targetFor } from '../../cli/target-choice.ts';
import { TARGETS } from '../../compiler/target.ts';
import type { InspectedAdapter } from '../../runtime/device.ts';

function adapter(isFallback: boolean, lanes: number, features: readonly string[]): InspectedAdapter {
  const name = { vendor: 'v', architecture: 'a', device: 'd', description: 'driver', backend: 'vulkan' };
  return {
    adapter: { ...name, isFallback, subgroupMinSize: lanes, subgroupMaxSize: lanes },
    features: new Set(features),
    limits: {},
  };
}

describe('the target', () => {
  test('is the one that is named, whatever the adapter', () => {
    for (const target of TARGETS) expect(targetFor(target.name, adapter(false, 32, []))).toBe(target);
  });

  test('of auto or no name is that of the adapter, and without one generic', () => {
    for (const name of ['auto', undefined]) {
      expect(targetFor(name).name).toBe('generic');
      expect(targetFor(name, adapter(true, 8, ['subgroups'])).name).toBe('software');
      expect(targetFor(name, adapter(true, 8, [])).name).toBe('generic');
      expect(targetFor(name, adapter(true, 4, ['subgroups'])).name).toBe('generic');
      expect(targetFor(name, adapter(false, 32, ['subgroups'])).name).toBe('generic');
    }
  });

  test('of another name is a fault that lists the names', () => {
    expect(() => targetFor('h100')).toThrow(
      "--target: found 'h100', expected one of generic, software, auto",
    );
  });
});
