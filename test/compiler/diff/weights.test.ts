// The weights family and its rename map: every tensor of both graphs is accounted for, once.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { align } from '../../../compiler/diff/align.ts';
import { diffSides } from '../../../compiler/diff/diff.ts';
import { type FindingDraft, finding } from '../../../compiler/diff/finding.ts';
import { rolesOf } from '../../../compiler/diff/roles.ts';
import { lowerGraph } from '../../../compiler/graph/lower.ts';
import { graphMacs, totalMacs } from '../../../compiler/graph/macs.ts';
import { countMacs } from '../../../compiler/opgraph/cost.ts';
import { arbitraryExplicitGraph } from '../../arbitrary-explicit-graph.ts';
import { arbitraryCompactGraph } from '../../arbitrary-graph.ts';
import { BASE } from '../../fixtures/diff-pairs.ts';
import { patched, sideOf } from '../../fixtures/diff-sides.ts';

const anyGraph = fc.oneof(arbitraryCompactGraph, arbitraryExplicitGraph);

describe('the rename map', () => {
  test('accounts for every tensor of two arbitrary graphs', () => {
    fc.assert(
      fc.property(anyGraph, anyGraph, (x, y) => {
        const [a, b] = [sideOf(x), sideOf(y)];
        const map = diffSides(a, b).map!;
        const left = a.parameters.map(({ name }) => name).filter((name) => !map.dropped.includes(name));
        const read = left.map((name) => map.renames.get(name) ?? name);
        const names = new Set(b.parameters.map(({ name }) => name));
        expect(new Set(read).size).toBe(read.length);
        expect(read.filter((name) => !names.has(name))).toEqual([]);
        for (const name of map.zeros) expect(names.has(name) && !read.includes(name)).toBe(true);
      }),
      { numRuns: 100, seed: 2 },
    );
  });

  test('of a block that came in front of others', () => {
    const map = diffSides(sideOf(BASE), sideOf(patched({ unet: { num_res_blocks: 2 } }))).map!;
    expect(map.renames.get('input_blocks.2.0.op.weight')).toBe('input_blocks.3.0.op.weight');
    expect(map.dropped).toEqual([]);
    expect(map.zeros).toEqual([]);
  });

  test('fills what is inert with zeros', () => {
    const to = patched({ unet: { attention_resolutions: [1, 2] } });
    const map = diffSides(sideOf(BASE), sideOf(to)).map!;
    expect(map.zeros).toHaveLength(18);
    expect(map.zeros).toContain('input_blocks.1.1.proj_out.weight');
  });
});

test('a fingerprint stays when blocks before it come or go', () => {
  const at = (n: number): FindingDraft => ({
    rule: 'weights/reshaped',
    change: '~',
    place: 'down[1].res[0]',
    path: { a: `input_blocks.${n}.0`, b: `input_blocks.${n + 1}.0` },
    pointer: '',
    before: 'res_block 32 -> 64',
    after: 'res_block 32 -> 96',
    message: '',
    details: [`input_blocks.${n}.0.in_layers.2.weight [64, 32, 3, 3] -> [96, 32, 3, 3]`],
  });
  expect(finding(at(3)).fingerprint).toBe(finding(at(5)).fingerprint);
  expect(finding({ ...at(3), after: 'res_block 32 -> 128' }).fingerprint).not.toBe(
    finding(at(3)).fingerprint,
  );
});

test('roles of a model', () => {
  const roles = [...rolesOf(sideOf(BASE).graph).values()].map(({ name }) => name);
  expect(roles).toEqual([
    ...['in', 'down[0].res[0]', 'down[0].down', 'down[1].res[0]', 'down[1].attn[0]'],
    ...['middle.res[0]', 'middle.attn[0]', 'middle.res[1]'],
    ...['up[1].res[0]', 'up[1].attn[0]', 'up[1].res[1]', 'up[1].attn[1]', 'up[1].up'],
    ...['up[0].res[0]', 'up[0].res[1]'],
  ]);
  fc.assert(
    fc.property(anyGraph, (file) => {
      const { graph } = sideOf(file);
      const names = [...rolesOf(graph).values()].map(({ name }) => name);
      expect(new Set(names).size).toBe(graph.blocks.flatMap((b) => b.layers).length);
    }),
    { numRuns: 50, seed: 3 },
  );
});

test('align finds the longest common subsequence', () => {
  const pairs = (a: string, b: string) =>
    align(a.length, b.length, (i, j) => (a[i] === b[j] ? 1 : 0))
      .map(({ a: i, b: j }) => `${i === null ? '+' : a[i]}${j === null ? '-' : b[j]}`)
      .join(' ');
  expect(pairs('abcd', 'acd')).toBe('aa b- cc dd');
  expect(pairs('ab', 'xaby')).toBe('+x aa bb +y');
  expect(pairs('', 'a')).toBe('+a');
});

test('graphMacs leaves no op out', () => {
  fc.assert(
    fc.property(anyGraph, (file) => {
      const { graph } = sideOf(file);
      const macs = graphMacs(graph);
      expect(macs.total).toEqual(countMacs(lowerGraph(graph, { batch: 1, taps: false, precision: 'f32' })));
      const modules = [...macs.modules.values()].reduce((sum, own) => sum + totalMacs(own), 0);
      expect(modules).toBe(totalMacs(macs.total));
    }),
    { numRuns: 60, seed: 4 },
  );
});
