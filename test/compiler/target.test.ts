// The profiles: every one is in the list, has a name of its own, and is chosen for some adapter.

import { describe, expect, it, test } from 'vitest';
import { compileGraph } from '../../compiler/compile.ts';
import { loadGraph } from '../../compiler/graph/load.ts';
import * as targets from '../../compiler/target.ts';
import {
  type AdapterFacts,
  chooseTarget,
  DEFAULT_LIMITS,
  findTarget,
  TARGETS,
} from '../../compiler/target.ts';
import { goldenGraph } from '../golden-cases.ts';

const PLAIN: AdapterFacts = {
  features: new Set(),
  software: false,
  subgroupMinSize: undefined,
  subgroupMaxSize: undefined,
  maxComputeWorkgroupStorageSize: DEFAULT_LIMITS.maxComputeWorkgroupStorageSize,
  matrices: [],
};

/** An adapter for each profile. A new profile is asked for one here. */
const ADAPTERS: Readonly<Record<string, AdapterFacts>> = {
  generic: PLAIN,
  nvidia: {
    ...PLAIN,
    features: new Set(['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix']),
    subgroupMinSize: 32,
    subgroupMaxSize: 32,
    maxComputeWorkgroupStorageSize: 49152,
    matrices: [{ componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 }],
  },
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

test('a long signal is compiled as far as the target reaches', () => {
  const compiled = (size: number) => {
    const { graph } = loadGraph(goldenGraph('tiny-1d'), 'tiny-1d', { size: [size] });
    return () => compileGraph(graph).bundle.manifest.image_size;
  };
  expect(compiled(262_144)()).toEqual([262_144]);
  expect(compiled(2 ** 24)).toThrow(/G022.*use a smaller image_size/);
});
