// Calls that bind other resources than their group reads and writes, or more than a target allows, made on purpose.

import { describe, expect, test } from 'vitest';
import { checkCounts, checkResources } from '../../../compiler/codegen/check-bindings.ts';
import { callsOf } from '../../../compiler/codegen/groups/index.ts';
import type { KernelCall } from '../../../compiler/codegen/kernel-call.ts';
import { compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import type { Precision } from '../../../compiler/precision.ts';
import { valueIn } from '../../../compiler/schedule/resources.ts';
import { DEFAULT_LIMITS, GENERIC, NVIDIA, SOFTWARE, type Target } from '../../../compiler/target.ts';
import { goldenGraph } from '../../golden-cases.ts';

/** Every group of the smallest model with FiLM, with its calls. */
function emitted(target: Target, precision: Precision = 'f32') {
  const { graph } = loadGraph(goldenGraph('tiny-film'), 'tiny-film');
  const { schedule } = compileGraph(graph, { target, precision, batch: 2 });
  return schedule.groups.map((group) => ({
    graph: schedule.graph,
    group,
    calls: callsOf(schedule, group, target),
  }));
}

type Bindings = KernelCall['bindings'];
const withBindings = (calls: readonly KernelCall[], change: (bindings: Bindings) => Bindings) =>
  calls.map((call) => ({ ...call, bindings: change(call.bindings) }));
const isWeight = ({ resource: { kind } }: Bindings[number]) => kind === 'weights' || kind === 'product';

describe.each([
  ['workgroups', GENERIC, 'f32'],
  ['workgroups in float16', GENERIC, 'f16'],
  ['matrix units', NVIDIA, 'f16'],
  ['single subgroups', SOFTWARE, 'f32'],
] as const)('kernels of %s', (_, target, precision) => {
  const groups = emitted(target, precision);

  test('the calls of every group are as they should be', () => {
    for (const { graph, group, calls } of groups) checkResources(graph, group, calls);
  });

  test('a call that leaves any binding out is found', () => {
    for (const { graph, group, calls } of groups) {
      const kept = new Set(
        calls.flatMap(({ bindings }) => bindings.filter((b) => !isWeight(b))).map((b) => b.resource),
      );
      for (const left of kept) {
        const same = JSON.stringify(left);
        const fewer = withBindings(calls, (all) => all.filter((b) => JSON.stringify(b.resource) !== same));
        expect(() => checkResources(graph, group, fewer), same).toThrow(
          /the calls of \w+ %\d+ .*(read|write) \[/,
        );
      }
    }
  });

  test('a call that reads or writes anything more is found', () => {
    const resource = valueIn(100000);
    for (const { graph, group, calls } of groups) {
      for (const access of ['read', 'read_write'] as const) {
        const more = withBindings(calls, (all) => [...all, { resource, access }]);
        expect(() => checkResources(graph, group, more)).toThrow('v100000');
      }
    }
  });
});

test('planes that are read before they are written are found', () => {
  const { graph, group, calls } = emitted(SOFTWARE).find(({ calls }) => calls.length > 1)!;
  expect(() => checkResources(graph, group, calls.toReversed())).toThrow(/read \[.*p\d+/);
});

test('more bindings than the target allows are found', () => {
  const few = (limits: Partial<typeof DEFAULT_LIMITS>) => ({
    ...GENERIC,
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
  const calls = emitted(GENERIC).flatMap((one) => one.calls);
  const buffers = calls.find(({ bindings }) => bindings.length === 4)!;
  expect(() => checkCounts(buffers, few({ maxStorageBuffersPerShaderStage: 4 }))).not.toThrow();
  expect(() => checkCounts(buffers, few({ maxStorageBuffersPerShaderStage: 3 }))).toThrow(
    /binds 4 buffers, target generic allows 3/,
  );
  const texture = emitted(SOFTWARE).flatMap((one) => one.calls)[20]!;
  expect(() => checkCounts(texture, few({ maxStorageTexturesPerShaderStage: 0 }))).toThrow(
    /binds \d textures/,
  );
});
