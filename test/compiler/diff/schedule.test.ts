// The schedule family and what only bundles tell: fusions, kernels, needs of the adapter, precision, epsilon.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileGraph } from '../../../compiler/compile.ts';
import { diffSides } from '../../../compiler/diff/diff.ts';
import { epsilonsIn, fusedIn, scheduleFacts } from '../../../compiler/diff/schedule-facts.ts';
import type { CompiledAs, DiffSide } from '../../../compiler/diff/side.ts';
import { findTarget } from '../../../compiler/target.ts';
import { BASE, type GraphPatch } from '../../fixtures/diff-pairs.ts';
import { findingLines, patched, sideOf } from '../../fixtures/diff-sides.ts';

function scheduled(patch: GraphPatch, target = 'generic'): DiffSide {
  const side = sideOf(patched(patch));
  const { bundle } = compileGraph(side.graph, { target: findTarget(target)! });
  return { ...side, schedule: scheduleFacts(bundle) };
}

const schedule = (a: DiffSide, b: DiffSide) =>
  findingLines(diffSides(a, b).findings.filter(({ family }) => family === 'schedule'));

describe('schedule', () => {
  test('a graph with itself', () => {
    expect(schedule(scheduled({}), scheduled({}))).toEqual([]);
  });

  test('a transposed convolution loses the fused upsampling', () => {
    const found = schedule(scheduled({}), scheduled({ unet: { upsample: 'conv_transpose' } }));
    expect(found).toContain('- dangerous schedule/fusion-lost up[1].up');
  });

  test('the norm in front of convolutions is lost without fusions', () => {
    const { graph } = sideOf(BASE);
    const unfused = { ...sideOf(BASE), schedule: scheduleFacts(compileGraph(graph, { fuse: false }).bundle) };
    const { findings } = diffSides(scheduled({}), unfused);
    const lost = findings.filter(({ rule }) => rule === 'schedule/fusion-lost');
    expect(
      lost.some(({ place, before }) => place === 'down[0].res[0]' && before === 'prologue group_norm'),
    ).toBe(true);
    expect(findings.map(({ rule }) => rule)).toContain('schedule/dispatches');
    const back = diffSides(unfused, scheduled({})).findings;
    expect(back.map(({ rule }) => rule)).toContain('schedule/fusion-gained');
  });

  test('another target needs other features', () => {
    const found = schedule(scheduled({}), scheduled({}, 'software'));
    expect(found).toContain('~ dangerous schedule/target schedule.target');
    expect(found).toContain('+ breaking schedule/features schedule.features.subgroups');
    const back = schedule(scheduled({}, 'software'), scheduled({}));
    expect(back).toContain('- info schedule/features schedule.features.subgroups');
  });

  test('larger buffers than every adapter has are a need', () => {
    const side = scheduled({});
    const large = {
      ...side,
      schedule: { ...side.schedule!, limits: { maxStorageBufferBindingSize: 2 ** 28 } },
    };
    expect(schedule(side, large)).toEqual([
      '~ dangerous schedule/limits schedule.limits.maxStorageBufferBindingSize',
    ]);
    const small = {
      ...side,
      schedule: { ...side.schedule!, limits: { maxStorageBufferBindingSize: 2 ** 10 } },
    };
    expect(schedule(side, small)).toEqual([]);
  });

  test('the fusions of a line', () => {
    const line =
      '#012 conv 32x64  upsample[2x2]  prologue[group_norm, silu]  skip[conv %130]  epilogue[add]  statistics[8x32]  f32[1,256,16,16]  %140 -> %150  0.1 GFLOP  # x';
    expect(fusedIn(line)).toEqual([
      ...['upsample', 'prologue group_norm', 'prologue silu', 'skip', 'epilogue add', 'statistics'],
    ]);
  });

  test.each(['generic', 'software'])('the epsilon of the kernels for %s is that of the norms', (target) => {
    const { graph } = sideOf(readFileSync(new URL('../../../graphs/mnist.json', import.meta.url), 'utf8'));
    const { bundle } = compileGraph(graph, { target: findTarget(target)! });
    expect(epsilonsIn(bundle)).toEqual([1e-5]);
  });
});

describe('what bundles were compiled with', () => {
  const compiled: CompiledAs = {
    ...{ batch: 1, precision: 'f32', taps: false, strict: false },
    ...{ epsilons: [1e-5], max_period: 10000 },
  };
  test.each<[string, Partial<CompiledAs>, readonly string[]]>([
    ['nothing else', {}, []],
    [
      'precision',
      { precision: 'f16' },
      ['~ dangerous numerics/precision bundle.precision', '~ info cost/weight-bytes weight_bytes'],
    ],
    ['strict', { strict: true }, ['~ dangerous numerics/strict bundle.strict']],
    ['epsilon', { epsilons: [1e-6] }, ['~ dangerous numerics/epsilon bundle.epsilon']],
    ['period', { max_period: 1000 }, ['~ breaking numerics/timestep-period bundle.max_period']],
    ['batch', { batch: 4 }, ['~ breaking interface/batch bundle.batch']],
    ['taps', { taps: true }, ['~ dangerous interface/taps bundle.taps']],
  ])('%s', (_, change, expected) => {
    const side = sideOf(BASE);
    const [a, b] = [
      { ...side, compiled },
      { ...side, compiled: { ...compiled, ...change } },
    ];
    expect(findingLines(diffSides(a, b).findings)).toEqual(expected);
  });
});
