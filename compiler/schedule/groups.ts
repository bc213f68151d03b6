// The unfused schedule: one group for each op, and what fusions ask of groups.

import { InternalError, invariant } from '../diagnostics.ts';
import type { OpGraph, OpNode } from '../opgraph/opgraph.ts';
import { isActivation } from '../ops/activations.ts';
import type { Group, GroupKind } from './schedule.ts';
import { isComputed, resolveView } from './values.ts';

/** One group for each computed op, in the graph's order. */
export function initialGroups(graph: OpGraph): readonly Group[] {
  return graph.nodes.flatMap((node, id) => (isComputed(graph, id) ? [groupOf(graph, node, id)] : []));
}

function groupOf(graph: OpGraph, node: OpNode, id: number): Group {
  const value = (operand: number) => {
    const read = node.inputs[operand]!;
    const { value: whole } = resolveView(graph, read);
    const sliced = graph.nodes[read]!.type.shape[1] !== graph.nodes[whole]!.type.shape[1];
    invariant(!sliced, `%${id} (${node.op}) reads a slice of %${whole}: only time projections are slices`);
    return whole;
  };
  const base: Group = { ...plainGroup('map', id), sources: [value(0)] };
  if (isActivation(node.op)) return { ...base, prologue: [{ node: id, operand: null }] };
  switch (node.op) {
    case 'conv':
    case 'conv_transpose':
      return { ...base, kind: 'conv' };
    case 'linear':
    case 'attention':
    case 'avg_pool':
    case 'upsample_linear':
      return { ...base, kind: node.op };
    case 'embedding':
      return { ...base, kind: 'embedding', sources: [value(1)] };
    case 'cast':
      return base; // a map that stores what it loads
    case 'group_norm':
      return { ...base, prologue: [{ node: id, operand: null }] };
    case 'film':
      return { ...base, prologue: [{ node: id, operand: resolveView(graph, node.inputs[1]!) }] };
    case 'channel_add':
      return { ...base, epilogue: [{ node: id, operand: resolveView(graph, node.inputs[1]!) }] };
    case 'add':
      return { ...base, epilogue: [{ node: id, operand: { value: value(1), start: 0 } }] };
    case 'upsample_nearest':
      return { ...base, upsample: id };
    case 'concat': {
      // channels are stored in quads: a first source that ends inside one cannot be read beside another
      const aligned = graph.nodes[value(0)]!.type.shape[1]! % 4 === 0;
      return { ...base, kind: aligned ? 'map' : 'gather_channels', sources: [value(0), value(1)] };
    }
    case 'input':
    case 'param':
    case 'param_concat':
    case 'timestep_embedding':
    case 'slice':
    case 'reshape':
    case 'dropout':
      throw new InternalError(`no group for op ${node.op} (%${id}, ${node.path})`);
  }
}

/** A group of a kind that computes something about a value, or moves it, and no op. */
export function plainGroup(kind: GroupKind, value: number): Group {
  return {
    kind,
    anchor: value,
    sources: [value],
    upsample: null,
    prologue: [],
    skip: null,
    epilogue: [],
    result: value,
    statistics: false,
  };
}

/** Every value a group reads, with repetition. */
export function readsOf(group: Group): readonly number[] {
  const operands = [...group.prologue, ...group.epilogue].flatMap(({ operand }) =>
    operand ? [operand.value] : [],
  );
  return [...group.sources, ...(group.skip?.sources ?? []), ...operands];
}

/** How groups and values hang together; kept up to date while fusions merge groups. */
export interface Uses {
  /** Group that writes a value, or undefined for inputs. */
  producer(value: number): Group | undefined;
  /** How many times a value is read by groups or is an output. */
  readers(value: number): number;
  insert(group: Group): void;
  remove(group: Group): void;
}

export function usesOf(graph: OpGraph, groups: readonly Group[]): Uses {
  const producers = new Map<number, Group>();
  const counts = new Map<number, number>();
  const count = (value: number, by: 1 | -1) => counts.set(value, (counts.get(value) ?? 0) + by);
  const uses: Uses = {
    producer: (value) => producers.get(value),
    readers: (value) => counts.get(value) ?? 0,
    insert(group) {
      producers.set(group.result, group);
      for (const value of readsOf(group)) count(value, 1);
    },
    remove(group) {
      producers.delete(group.result);
      for (const value of readsOf(group)) count(value, -1);
    },
  };
  for (const group of groups) uses.insert(group);
  for (const { value } of graph.outputs) count(resolveView(graph, value).value, 1);
  return uses;
}
