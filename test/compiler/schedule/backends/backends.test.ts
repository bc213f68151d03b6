// The table of backends: who looks it up, what its rows have to keep, and which of them computes a precision.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { compileGraph } from '../../../../compiler/compile.ts';
import { loadGraph } from '../../../../compiler/graph/load.ts';
import { backendOf, targetAt } from '../../../../compiler/schedule/backends/index.ts';
import { nameOf } from '../../../../compiler/schedule/choices/candidates.ts';
import { initialGroups } from '../../../../compiler/schedule/groups.ts';
import { DEFAULT_LIMITS, NVIDIA, SOFTWARE, TARGETS } from '../../../../compiler/target.ts';
import { goldenGraph } from '../../../golden-cases.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');

test('how a target computes products is asked in two places: the schedule’s table and that of kernels', () => {
  const files = ['compiler', 'runtime', 'engine', 'cli'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  const asking = files.filter((file) => {
    if (!file.endsWith('.ts')) return false;
    const text = readFileSync(join(root, file), 'utf8').replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
    return /\.products\b|\{[^{}=]*\bproducts\b[^{}=]*\}: (Target|Pick<Target)|'matrix'|'subgroup'/.test(text);
  });
  expect(asking.sort()).toEqual([
    'compiler/codegen/groups/index.ts',
    'compiler/schedule/backends/index.ts',
    'compiler/target.ts',
  ]);
});

describe.each(TARGETS)('$name', (target) => {
  const backend = backendOf(target);

  it('has fusions of names of their own, each once', () => {
    const names = backend
      .fusions(() => ({ winograd: null, tile: { m: 32, n: 32 }, slices: 1, reason: null }))
      .map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('fuse_statistics');
  });

  it('has candidates of names of their own, fewer where only exact ones may be taken, and one for every convolution', () => {
    const { graph } = compileGraph(loadGraph(goldenGraph('tiny-film'), 'tiny-film').graph, {}).schedule;
    const groups = initialGroups(graph).filter((one) => one.kind === 'conv');
    expect(groups.length).toBeGreaterThan(1);
    for (const group of groups) {
      const [all, exact] = [false, true].map((strict) =>
        backend.candidates(graph, group, strict).map(nameOf),
      );
      expect(new Set(all).size).toBe(all!.length);
      expect(exact!.length).toBeGreaterThan(0);
      expect(all).toEqual(expect.arrayContaining(exact!));
    }
  });

  it('computes every precision, by itself or by the workgroup kernels in the limits that every adapter has', () => {
    for (const precision of ['f32', 'f16'] as const) {
      const at = targetAt(target, precision);
      expect(backendOf(at).precisions).toContain(precision);
      expect(at.name).toBe(target.name);
      if (at === target) continue;
      expect(at).toMatchObject({ features: [], limits: { maxComputeWorkgroupStorageSize: 16384 } });
    }
  });
});

test('matrix units compute float16 alone, processors both', () => {
  expect(targetAt(NVIDIA, 'f16')).toBe(NVIDIA);
  expect(targetAt(NVIDIA, 'f32').products).toBe('workgroup');
  expect(targetAt(NVIDIA, 'f32').limits).toEqual(DEFAULT_LIMITS);
  expect(targetAt(SOFTWARE, 'f32')).toBe(SOFTWARE);
  expect(targetAt(SOFTWARE, 'f16')).toBe(SOFTWARE);
});
