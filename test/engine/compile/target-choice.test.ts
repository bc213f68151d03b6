import { describe, expect, test } from 'vitest';
import { NVIDIA, TARGETS } from '../../../compiler/target.ts';
import { targetFor } from '../../../engine/compile/target-choice.ts';
import type { InspectedAdapter } from '../../../runtime/host/node/dawn.ts';

const F16 = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 };

function adapter(
  isFallback: boolean,
  lanes: number,
  features: readonly string[],
  matrices: InspectedAdapter['matrices'] = [],
  maxComputeWorkgroupStorageSize = 49152,
): InspectedAdapter {
  const name = { vendor: 'v', architecture: 'a', device: 'd', description: 'driver', backend: 'vulkan' };
  return {
    adapter: { ...name, isFallback, subgroupMinSize: lanes, subgroupMaxSize: lanes },
    features: new Set(features),
    limits: { maxComputeWorkgroupStorageSize },
    matrices,
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

  test('of matrix units is nvidia where they multiply float16 into float32 in blocks of 16, by subgroups of 32', () => {
    const chosen = (...words: Parameters<typeof adapter>) => targetFor('auto', adapter(...words)).name;
    const { features } = NVIDIA;
    expect(chosen(false, 32, features, [{ ...F16, resultComponentType: 'f16' }, F16])).toBe('nvidia');
    expect(chosen(false, 32, features.slice(1), [F16])).toBe('generic');
    expect(chosen(false, 64, features, [F16])).toBe('half');
    expect(chosen(false, 32, features, [F16], 32768)).toBe('half');
    for (const change of [
      { componentType: 'f32' },
      { resultComponentType: 'f16' },
      { M: 8 },
      { N: 8 },
      { K: 32 },
    ])
      expect(chosen(false, 32, features, [{ ...F16, ...change }])).toBe('half');
    expect(chosen(false, 32, features)).toBe('half');
  });

  test('of another name is a fault that lists the names', () => {
    const names = TARGETS.map(({ name }) => name).join(', ');
    expect(() => targetFor('h100')).toThrow(`target: found 'h100', expected one of ${names}, auto`);
  });
});
