// The profiles: every one is in the list, has a name of its own, and is chosen for some adapter.

import { describe, expect, it, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import * as targets from '../../compiler/target.ts';
import {
  type AdapterFacts,
  AMD,
  APPLE,
  chooseTarget,
  DEFAULT_LIMITS,
  findTarget,
  INTEL,
  missingFor,
  NVIDIA,
  TARGETS,
  type Target,
} from '../../compiler/target.ts';
import { goldenGraph } from '../golden-cases.ts';

const PLAIN: AdapterFacts = {
  vendor: '',
  features: new Set(),
  software: false,
  subgroupMinSize: undefined,
  subgroupMaxSize: undefined,
  maxComputeWorkgroupStorageSize: DEFAULT_LIMITS.maxComputeWorkgroupStorageSize,
  matrices: [],
};

/** An adapter with the matrices of a profile, and subgroups of so many lanes. */
function withMatrices(
  { name, features, limits, matrices }: Target,
  subgroupMinSize: number,
  subgroupMaxSize: number,
): AdapterFacts {
  const { component, M, N, K } = matrices!;
  return {
    ...{ vendor: name, features: new Set(features), software: false, subgroupMinSize, subgroupMaxSize },
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    matrices: [
      { componentType: 'f16', resultComponentType: 'f16', M, N, K },
      { componentType: component, resultComponentType: 'f32', M, N, K },
    ],
  };
}

/** An adapter for each profile. A new profile is asked for one here. */
const ADAPTERS: Readonly<Record<string, AdapterFacts>> = {
  generic: PLAIN,
  half: { ...PLAIN, vendor: 'qualcomm', features: new Set(['shader-f16']) },
  apple: withMatrices(APPLE, 32, 32),
  intel: withMatrices(INTEL, 8, 32),
  amd: withMatrices(AMD, 32, 64),
  nvidia: withMatrices(NVIDIA, 32, 32),
  software: {
    ...PLAIN,
    features: new Set(['subgroups']),
    software: true,
    subgroupMinSize: 8,
    subgroupMaxSize: 8,
  },
};

test('every profile that is written is in the list', () => {
  const written = Object.values(targets).filter((value) => typeof value === 'object' && 'products' in value);
  expect(new Set(written)).toEqual(new Set(TARGETS));
});

describe.each(TARGETS)('$name', (target) => {
  it('is found by its name alone', () => {
    expect(TARGETS.filter(({ name }) => name === target.name)).toEqual([target]);
    expect(findTarget(target.name)).toBe(target);
  });

  it('is chosen for its adapter, and not where a feature is missing', () => {
    const adapter = ADAPTERS[target.name]!;
    expect(chooseTarget(adapter)).toBe(target);
    if (target.features.length > 0)
      expect(chooseTarget({ ...adapter, features: new Set() })).not.toBe(target);
  });

  it('asks for no less than every adapter has', () => {
    for (const [name, least] of Object.entries(DEFAULT_LIMITS))
      expect(target.limits[name as keyof typeof DEFAULT_LIMITS], name).toBeGreaterThanOrEqual(least);
  });
});

describe('what an adapter lacks', () => {
  const without = (name: string, change: Partial<AdapterFacts>) => {
    const adapter = { ...ADAPTERS[name]!, ...change };
    return [chooseTarget(adapter).name, missingFor(findTarget(name)!, adapter)] as const;
  };

  it('is told in words, and the next best profile is taken', () => {
    expect(without('apple', { matrices: [] })).toEqual(['half', ['matrices f32 8x8x8 into f32']]);
    expect(without('intel', { subgroupMinSize: 32 })).toEqual([
      'half',
      ['subgroups of 16 lanes among others'],
    ]);
    expect(without('amd', { maxComputeWorkgroupStorageSize: 32768 })).toEqual([
      'half',
      ['48 KiB of workgroup memory'],
    ]);
    expect(without('nvidia', { subgroupMinSize: 16 })).toEqual(['generic', ['subgroups of 32 lanes']]);
    expect(without('half', { software: true })).toEqual([
      'generic',
      ['float16 arithmetic that is fast and sound'],
    ]);
    expect(without('software', { subgroupMaxSize: 4 })).toEqual([
      'generic',
      ['a processor whose subgroups have 8 lanes'],
    ]);
  });

  it('of several sizes of subgroups asks for one where the driver lets it', () => {
    const features = new Set(ADAPTERS.amd!.features);
    features.delete('subgroup-size-control');
    expect(without('amd', { features })).toEqual(['half', ['subgroup-size-control']]);
  });
});

test('a long signal is compiled as far as the target reaches', () => {
  const compiled = (size: number) => {
    const { graph } = loadGraph(goldenGraph('tiny-1d'), 'tiny-1d', { size: [size] });
    return () => compileGraph(graph).bundle.manifest.image_size;
  };
  expect(compiled(262_144)()).toEqual([262_144]);
  expect(compiled(2 ** 24)).toThrow(/G022.*use a smaller image_size/);
});
