// Invariants of calls: the calls of a group bind exactly the resources that the schedule says the group reads and writes, and
// no call binds more than the target allows.

import { invariant } from '../diagnostics.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import {
  homeOfResource,
  readsOf,
  resourceName,
  type SizedResource,
  writesOf,
} from '../schedule/resources.ts';
import type { ScheduledGroup } from '../schedule/schedule.ts';
import type { Target } from '../target.ts';
import type { KernelCall } from './kernel-call.ts';

/**
 * Throws InternalError naming a group whose calls together read or write other resources than `readsOf` and `writesOf`
 * say. What an earlier call of the same group has written may be read without being said.
 */
export function checkResources(graph: OpGraph, group: ScheduledGroup, calls: readonly KernelCall[]): void {
  const [read, written] = [new Set<string>(), new Set<string>()];
  for (const { bindings } of calls) {
    const fresh: string[] = [];
    for (const { resource, access } of bindings) {
      if (resource.kind === 'weights' || resource.kind === 'product' || resource.kind === 'packed') continue;
      const name = resourceName(resource);
      if (access === 'read_write') fresh.push(name);
      else if (!written.has(name)) read.add(name);
    }
    for (const name of fresh) written.add(name);
  }
  const compare = (verb: string, bound: ReadonlySet<string>, said: readonly SizedResource[]) => {
    const expected = new Set(said.map(({ resource }) => resourceName(resource)));
    const same = bound.size === expected.size && [...bound].every((name) => expected.has(name));
    invariant(same, () => {
      const { path } = graph.nodes[group.result]!;
      const list = (names: ReadonlySet<string>) => `[${[...names].sort().join(', ')}]`;
      return `the calls of ${group.kind} %${group.result} (${path}) ${verb} ${list(bound)}, its resources are ${list(expected)}`;
    });
  };
  compare('read', read, readsOf(graph, group));
  compare('write', written, writesOf(graph, group));
}

/** Throws InternalError where a call binds more buffers or textures than the target allows. */
export function checkCounts(call: KernelCall, { limits, name }: Target): void {
  const textures = texturesOf(call);
  const buffers = call.bindings.length - textures;
  const most = limits.maxStorageBuffersPerShaderStage;
  invariant(buffers <= most, () => `${call.file} binds ${buffers} buffers, target ${name} allows ${most}`);
  const mostTextures = limits.maxStorageTexturesPerShaderStage;
  invariant(
    textures <= mostTextures,
    () => `${call.file} binds ${textures} textures, target ${name} allows ${mostTextures}`,
  );
}

/** Storage textures that a call binds: what is written is a buffer. */
function texturesOf({ bindings, product }: KernelCall): number {
  return bindings.filter(({ resource, access }) => {
    if (access === 'read_write' || resource.kind === 'packed') return false;
    if (resource.kind === 'product') return product?.texture ?? false;
    return resource.kind !== 'weights' && homeOfResource(resource) === 'texture';
  }).length;
}
