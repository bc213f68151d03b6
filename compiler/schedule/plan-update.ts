// Which gradients of a graph change which parameters, when, and where in their arenas both stand; and where those that stay stand.

import { invariant } from '../diagnostics.ts';
import type { OpGraph } from '../opgraph/opgraph.ts';
import type { Target } from '../target.ts';
import { nodesOf } from './cost.ts';
import { bytesOf, readsOf, writesOf } from './resources.ts';
import type { ScheduledGroup } from './schedule.ts';
import {
  COPIES,
  isGradient,
  type ParameterArena,
  type PlacedParameter,
  parameterOf,
  type TrainedArena,
  type TrainedParameter,
  type Update,
  type UpdateOptions,
} from './update.ts';
import { isHalf, isParam, resolveView } from './values.ts';

/** Offsets of bindings are multiples of this: the default of WebGPU's minStorageBufferOffsetAlignment. */
const ALIGNMENT = 256;

/** Bytes of an arena's gradients where they need not wait for others: fewer dispatches of more would hold more memory. */
const ARENA_BYTES = 2 ** 23;

/** What all gradients are cut into at the most, where they need not wait for others. */
const MOST_ARENAS = 32;

/**
 * Places the parameters whose gradients a graph has as outputs, and those that are frozen. An arena is no larger than the target
 * may bind. Where parameters need not wait for all gradients, arenas are filled in the order in which gradients are there.
 */
export function planUpdate(
  graph: OpGraph,
  groups: readonly ScheduledGroup[],
  options: UpdateOptions,
  { limits }: Target,
): Update {
  const copies = COPIES.length + options.averages;
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const trained = trainedOf(graph);
  const waits = options.waits || options.accumulates;
  return {
    ...options,
    passing: options.passing ?? (options.accumulates ? 'none' : 'changing'),
    arenas: waits
      ? fillArenas(trained, most / copies).map((arena) => ({ ...arena, alive: null }))
      : arenasInTurn(graph, groups, trained, most / copies),
    still: fillArenas(frozenOf(graph, new Set(options.frozen)), most),
  };
}

/** Arenas whose parameters change one after the other, while gradients are computed. */
function arenasInTurn(
  graph: OpGraph,
  groups: readonly ScheduledGroup[],
  trained: readonly Unplaced<TrainedParameter>[],
  most: number,
): readonly TrainedArena[] {
  const uses = usesOf(graph, groups);
  const usesBy = ({ name, gradient }: Pick<TrainedParameter, 'name' | 'gradient'>) => {
    const { written, read } = uses.gradients.get(gradient)!;
    return { first: written, last: Math.max(written, read, uses.parameters.get(name) ?? -1) };
  };
  // how blocks are computed again changes no order of gradients, and so no arena
  const inTurn = trained.toSorted((a, b) => usesBy(a).first - usesBy(b).first);
  const bytes = trained.reduce((sum, one) => sum + one.bytes, 0);
  return fillArenas(inTurn, Math.min(most, Math.max(ARENA_BYTES, bytes / MOST_ARENAS))).map((arena) => {
    const alive = arena.parameters.map(usesBy);
    const first = Math.min(...alive.map((one) => one.first));
    return { ...arena, alive: { first, last: Math.max(...alive.map((one) => one.last)) } };
  });
}

interface Uses {
  /** The groups that write a gradient and read it last, by its value. */
  readonly gradients: ReadonlyMap<number, { readonly written: number; readonly read: number }>;
  /** The group that reads a parameter last, by its name. */
  readonly parameters: ReadonlyMap<string, number>;
}

function usesOf(graph: OpGraph, groups: readonly ScheduledGroup[]): Uses {
  const gradients = new Map<number, { written: number; read: number }>();
  const parameters = new Map<string, number>();
  groups.forEach((group, at) => {
    for (const { resource } of writesOf(graph, group))
      if (resource.kind === 'value' && resource.home === 'buffer')
        gradients.set(resource.value, { written: at, read: -1 });
    for (const { resource } of readsOf(graph, group)) {
      const stands = resource.kind === 'value' && resource.home === 'buffer';
      const gradient = stands ? gradients.get(resource.value) : undefined;
      if (gradient !== undefined) gradient.read = at;
    }
    for (const id of nodesOf(group).flatMap((node) => graph.nodes[node]!.inputs))
      for (const name of parametersIn(graph, id)) parameters.set(name, at);
  });
  return { gradients, parameters };
}

/** The names of the parameters that a value consists of. */
function parametersIn(graph: OpGraph, id: number): readonly string[] {
  const node = graph.nodes[id]!;
  if (node.op === 'param') return [node.attrs.name];
  return isParam(graph, id) ? node.inputs.flatMap((input) => parametersIn(graph, input)) : [];
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
