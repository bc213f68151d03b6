// Which gradients of a graph change which parameters, and where in their arenas both stand.

import { invariant } from '../diagnostics.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Target } from '../target.ts';
import { bytesOf } from './resources.ts';
import {
  COPIES,
  isGradient,
  type PlacedParameter,
  parameterOf,
  type Update,
  type UpdateOptions,
} from './update.ts';
import { resolveView } from './values.ts';

/** Offsets of bindings are multiples of this: the default of WebGPU's minStorageBufferOffsetAlignment. */
const ALIGNMENT = 256;

/** Places the parameters whose gradients a graph has as outputs. An arena is no larger than the target may bind. */
export function planUpdate(graph: OpGraph, options: UpdateOptions, { limits }: Target): Update {
  const copies = COPIES.length + options.averages;
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize) / copies;
  const arenas: { bytes: number; parameters: PlacedParameter[] }[] = [];
  const owners = new Map<number, string>();
  for (const { name, value } of graph.outputs) {
    if (!isGradient(name)) continue;
    const { value: gradient, start } = resolveView(graph, value);
    const other = owners.get(gradient);
    invariant(
      start === 0 && other === undefined,
      () => `${name} is a part of %${gradient}, or ${other}, too`,
    );
    owners.set(gradient, name);
    const bytes = bytesOf(graph, gradient);
    const room = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    let arena = arenas.at(-1);
    if (arena === undefined || arena.bytes + room > most) {
      arena = { bytes: 0, parameters: [] };
      arenas.push(arena);
    }
    const { shape } = graph.nodes[value]!.type;
    arena.parameters.push({ name: parameterOf(name), shape, gradient, offset: arena.bytes, bytes });
    arena.bytes += room;
  }
  return { ...options, arenas };
}
