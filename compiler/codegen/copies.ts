// Copies into textures: dispatches write buffers, and what another dispatch reads from a texture is copied there behind the
// last call that writes it before it is read.

import { homeOfResource, type Resource, resourceName } from '../schedule/resources.ts';
import type { KernelCall } from './kernel-call.ts';

/**
 * What is copied behind each call of a group. Of a texture that several calls write in turn before another call reads it,
 * each its part, the whole is copied once, behind the last of them.
 */
export function copiesOf(calls: readonly KernelCall[]): readonly (readonly Resource[])[] {
  return calls.map((call, i) =>
    texturesOf(call, 'read_write').filter((written) => {
      const name = resourceName(written);
      const next = calls.slice(i + 1).find((later) => touches(later, name));
      return next === undefined || readsIt(next, name);
    }),
  );
}

function touches(call: KernelCall, name: string): boolean {
  return readsIt(call, name) || texturesOf(call, 'read_write').some((one) => resourceName(one) === name);
}

function readsIt(call: KernelCall, name: string): boolean {
  return texturesOf(call, 'read').some((one) => resourceName(one) === name);
}

function texturesOf({ bindings }: KernelCall, as: 'read' | 'read_write'): readonly Resource[] {
  return bindings.flatMap(({ resource, access }) => {
    if (access !== as) return [];
    if (resource.kind === 'weights' || resource.kind === 'product' || resource.kind === 'packed') return [];
    return homeOfResource(resource) === 'texture' ? [resource] : [];
  });
}
