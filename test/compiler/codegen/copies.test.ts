// Copies into textures, on whole schedules: what a call reads from a texture was copied there since it was written last, and
// nothing is copied twice.

import { expect, test } from 'vitest';
import { copiesOf } from '../../../compiler/codegen/copies.ts';
import { callsOf } from '../../../compiler/codegen/groups/index.ts';
import type { KernelCall } from '../../../compiler/codegen/kernel-call.ts';
import { type CompileOptions, compileGraph } from '../../../compiler/compile.ts';
import { loadGraph } from '../../../compiler/graph/load.ts';
import { homeOfResource, resourceName } from '../../../compiler/schedule/resources.ts';
import { GENERIC, SOFTWARE } from '../../../compiler/target.ts';
import { goldenGraph } from '../../golden-cases.ts';

function texturesOf({ bindings }: KernelCall, as: 'read' | 'read_write'): readonly string[] {
  return bindings.flatMap(({ resource, access }) => {
    if (resource.kind === 'weights' || resource.kind === 'product' || resource.kind === 'packed') return [];
    return access === as && homeOfResource(resource) === 'texture' ? [resourceName(resource)] : [];
  });
}

function emitted(name: string, options: CompileOptions): readonly (readonly KernelCall[])[] {
  const { graph } = loadGraph(goldenGraph(name), name);
  const { schedule } = compileGraph(graph, options);
  return schedule.groups.map((group) => callsOf(schedule, group, options.target!));
}

test.each([
  ['tiny-film', { batch: 2 }],
  ['odd-14x14', { batch: 64 }],
  ['tiny-film', { batch: 2, gradients: true }],
] as const)('%s with %o', (name, options) => {
  const current = new Set<string>();
  let several = 0;
  for (const calls of emitted(name, { ...options, target: SOFTWARE })) {
    const copies = copiesOf(calls);
    const written = new Set<string>();
    calls.forEach((call, i) => {
      for (const read of texturesOf(call, 'read')) expect([...current], read).toContain(read);
      for (const one of texturesOf(call, 'read_write')) {
        current.delete(one);
        if (written.has(one)) several++;
        written.add(one);
      }
      for (const copied of copies[i]!.map(resourceName)) {
        expect(written.has(copied) && !current.has(copied), copied).toBe(true);
        current.add(copied);
      }
    });
    for (const one of written) expect(current.has(one), one).toBe(true);
  }
  expect(current.size).toBeGreaterThan(0);
  if (options.batch === 64) expect(several).toBeGreaterThan(0);
});

test('targets without textures copy nothing', () => {
  const calls = emitted('tiny-film', { target: GENERIC });
  expect(calls.flatMap((own) => copiesOf(own)).flat()).toEqual([]);
});
