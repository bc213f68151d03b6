// Which gradients of a graph change which parameters, and where in their arenas both stand; and where those that stay stand.

import { invariant } from '../diagnostics.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Target } from '../target.ts';
import { bytesOf } from './resources.ts';
import {
  COPIES,
  isGradient,
  type ParameterArena,
  type PlacedParameter,
  parameterOf,
  type TrainedParameter,
  type Update,
  type UpdateOptions,
} from './update.ts';
import { isHalf, resolveView } from './values.ts';

/** Offsets of bindings are multiples of this: the default of WebGPU's minStorageBufferOffsetAlignment. */
const ALIGNMENT = 256;

/**
 * Places the parameters whose gradients a graph has as outputs, and those that are frozen. An arena is no larger than the target
 * may bind.
 */
export function planUpdate(graph: OpGraph, options: UpdateOptions, { limits }: Target): Update {
  const copies = COPIES.length + options.averages;
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  return {
    ...options,
    passing: options.passing ?? (options.accumulates ? 'none' : 'changing'),
    arenas: fillArenas(trainedOf(graph), most / copies),
    still: fillArenas(frozenOf(graph, new Set(options.frozen)), most),
  };
}

type Unplaced<P extends PlacedParameter> = Omit<P, 'offset'>;

function trainedOf(graph: OpGraph): readonly Unplaced<TrainedParameter>[] {
  const owners = new Map<number, string>();
  return graph.outputs.flatMap(({ name, value }) => {
    if (!isGradient(name)) return [];
    const { value: gradient, start } = resolveView(graph, value);
    const other = owners.get(gradient);
    invariant(
      start === 0 && other === undefined,
      () => `${name} is a part of %${gradient}, or ${other}, too`,
    );
    owners.set(gradient, name);
    invariant(!isHalf(graph, gradient), () => `${name} is float16, and parameters are changed in float32`);
    const { shape } = graph.nodes[value]!.type;
    return [{ name: parameterOf(name), shape, gradient, bytes: bytesOf(graph, gradient) }];
  });
}

/** In the layout that their gradients would have. */
function frozenOf(graph: OpGraph, frozen: ReadonlySet<string>): readonly Unplaced<PlacedParameter>[] {
  const found = graph.nodes.flatMap((node, value) => {
    if (node.op !== 'param' || !frozen.has(node.attrs.name)) return [];
    return [{ name: node.attrs.name, shape: node.type.shape, bytes: bytesOf(graph, value) }];
  });
  return [...new Map(found.map((one) => [one.name, one])).values()];
}

/** Parameters one behind the other; a new arena begins where the next one does not fit. */
function fillArenas<P extends PlacedParameter>(
  parameters: readonly Unplaced<P>[],
  most: number,
): readonly ParameterArena<P>[] {
  const arenas: { bytes: number; parameters: P[] }[] = [];
  for (const parameter of parameters) {
    const room = Math.ceil(parameter.bytes / ALIGNMENT) * ALIGNMENT;
    let arena = arenas.at(-1);
    if (arena === undefined || arena.bytes + room > most) {
      arena = { bytes: 0, parameters: [] };
      arenas.push(arena);
    }
    arena.parameters.push({ ...parameter, offset: arena.bytes } as P);
    arena.bytes += room;
  }
  return arenas;
}
