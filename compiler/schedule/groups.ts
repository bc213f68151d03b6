// The unfused schedule: one group for each op, and what fusions ask of groups.

import { InternalError, invariant } from '../diagnostics.ts';
import type { OpGraph, OpNode } from '../opgraph/opgraph.ts';
import { isActivation } from '../ops/activations.ts';
import type { FusedOp, FusedSkip, FusionGroup, ScheduledGroup } from './schedule.ts';
import { isComputed, resolveView } from './values.ts';

/** One group for each computed op, in the graph's order. */
export function initialGroups(graph: OpGraph): readonly FusionGroup[] {
  return graph.nodes.flatMap((node, id) => (isComputed(graph, id) ? [groupOf(graph, node, id)] : []));
}

function groupOf(graph: OpGraph, node: OpNode, id: number): FusionGroup {
  const value = (operand: number) => {
    const read = node.inputs[operand]!;
    const { value: whole } = resolveView(graph, read);
    const sliced = graph.nodes[read]!.type.shape[1] !== graph.nodes[whole]!.type.shape[1];
    invariant(!sliced, `%${id} (${node.op}) reads a slice of %${whole}: only time projections are slices`);
    return whole;
  };
  const group = { anchor: id, sources: node.op === 'channel_sum' ? [] : [value(0)], result: id };
  const map = { ...group, kind: 'map', upsample: null, prologue: [], epilogue: [] } as const;
  const view = (): FusedOp => ({ node: id, operand: resolveView(graph, node.inputs[1]!) });
  if (isActivation(node.op)) return { ...map, prologue: [{ node: id, operand: null }] };
  switch (node.op) {
    case 'conv':
    case 'conv_transpose':
      return { ...map, kind: 'conv', skip: null, statistics: false };
    case 'linear':
      return { ...group, kind: 'linear', epilogue: [] };
    case 'avg_pool':
      return { ...group, kind: 'avg_pool', prologue: [] };
    case 'attention':
    case 'upsample_linear':
    case 'window':
    case 'position_add':
      return { ...group, kind: node.op };
    case 'batch_sum':
    case 'rows':
    case 'dropout_mask':
      return { ...group, kind: node.op };
    case 'attention_gradient':
    case 'log_softmax_gradient':
    case 'embedding_gradient':
    case 'scale_shift_gradient':
    case 'mix':
    case 'cross_entropy':
    case 'cross_entropy_gradient':
    case 'top_k':
    case 'mse':
    case 'mse_gradient':
    case 'variational_bound':
    case 'variational_bound_gradient':
      return { ...group, kind: node.op, sources: node.inputs.map((_, operand) => value(operand)) };
    case 'channel_sum': {
      const { value: whole, start } = resolveView(graph, node.inputs[0]!);
      return { ...group, kind: 'channel_sum', sources: [whole], start };
    }
    case 'conv_weight_gradient':
      return { ...group, kind: 'weight_gradient', cotangent: value(1), upsample: null, prologue: [] };
    case 'group_norm_sums':
      return { ...group, kind: 'norm_sums', sources: [value(0), value(1)], through: [] };
    case 'group_norm_gradient':
      return { ...group, kind: 'norm_gradient', sources: [value(0), value(2)], through: [], epilogue: [] };
    case 'embedding':
      return { ...group, kind: 'embedding', sources: [value(1)] };
    case 'cast':
      return map; // it stores what it loads
    case 'group_norm':
      return { ...map, prologue: [{ node: id, operand: null }] };
    case 'film':
      return { ...map, prologue: [view()] };
    case 'apply_mask':
      return { ...map, prologue: [{ node: id, operand: { value: value(1), start: 0 } }] };
    case 'channel_add':
    case 'film_gradient':
      return { ...map, epilogue: [view()] };
    case 'scale':
    case 'rescale':
      return { ...map, epilogue: [{ node: id, operand: null }] };
    case 'add':
    case 'multiply':
    case 'activation_gradient':
      return { ...map, epilogue: [{ node: id, operand: { value: value(1), start: 0 } }] };
    case 'upsample_nearest':
      return { ...map, upsample: id };
    case 'concat': {
      const sources = [value(0), value(1)];
      // channels are stored in quads: a first source that ends inside one cannot be read beside another
      const aligned = graph.nodes[value(0)]!.type.shape[1]! % 4 === 0;
      return aligned ? { ...map, sources } : { ...group, kind: 'gather_channels', sources };
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

/** What is fused into a group; empty where its kind takes nothing of it. */
export interface Fused {
  readonly upsample: number | null;
  readonly prologue: readonly FusedOp[];
  readonly skip: FusedSkip | null;
  readonly epilogue: readonly FusedOp[];
}

const NOTHING: Fused = { upsample: null, prologue: [], skip: null, epilogue: [] };

/** Spelled out by kinds: it is asked thousands of times a compilation, and spreading records of many shapes is slow. */
export function fusedIn(group: FusionGroup | ScheduledGroup): Fused {
  const { upsample, prologue, skip, epilogue } = NOTHING;
  switch (group.kind) {
    case 'conv':
      return group;
    case 'map':
      return { upsample: group.upsample, prologue: group.prologue, skip, epilogue: group.epilogue };
    case 'linear':
    case 'norm_gradient':
      return { upsample, prologue, skip, epilogue: group.epilogue };
    case 'weight_gradient':
      return { upsample: group.upsample, prologue: group.prologue, skip, epilogue };
    case 'avg_pool':
    case 'affine':
      return { upsample, prologue: group.prologue, skip, epilogue };
    case 'norm_sums':
    case 'channel_sum':
    case 'attention':
    case 'attention_gradient':
    case 'gather_channels':
    case 'window':
    case 'upsample_linear':
    case 'embedding':
    case 'position_add':
    case 'log_softmax_gradient':
    case 'embedding_gradient':
    case 'scale_shift_gradient':
    case 'batch_sum':
    case 'rows':
    case 'dropout_mask':
    case 'mix':
    case 'cross_entropy':
    case 'cross_entropy_gradient':
    case 'top_k':
    case 'mse':
    case 'mse_gradient':
    case 'variational_bound':
    case 'variational_bound_gradient':
    case 'statistics':
    case 'merge_statistics':
    case 'transfer':
      return NOTHING;
  }
}

/** Every value that a group of ops reads, with repetition. */
export function valuesRead(group: FusionGroup): readonly number[] {
  const { prologue, skip, epilogue } = fusedIn(group);
  const through = throughOf(group);
  const operands = [...prologue, ...epilogue, ...through].flatMap(({ operand }) =>
    operand ? [operand.value] : [],
  );
  const cotangent = group.kind === 'weight_gradient' ? [group.cotangent] : [];
  return [...group.sources, ...cotangent, ...(skip?.sources ?? []), ...operands];
}

/** What lies between a norm and the value of which a group has the cotangent. */
export function throughOf(group: FusionGroup | ScheduledGroup): readonly FusedOp[] {
  return group.kind === 'norm_gradient' || group.kind === 'norm_sums' ? group.through : [];
}

/** How groups and values hang together; kept up to date while fusions merge groups. */
export interface Uses {
  /** Group that writes a value, or undefined for inputs. */
  producer(value: number): FusionGroup | undefined;
  /** How many times a value is read by groups or is an output. */
  readers(value: number): number;
  insert(group: FusionGroup): void;
  remove(group: FusionGroup): void;
}

export function usesOf(graph: OpGraph, groups: readonly FusionGroup[]): Uses {
  const producers = new Map<number, FusionGroup>();
  const counts = new Map<number, number>();
  const count = (value: number, by: 1 | -1) => counts.set(value, (counts.get(value) ?? 0) + by);
  const uses: Uses = {
    producer: (value) => producers.get(value),
    readers: (value) => counts.get(value) ?? 0,
    insert(group) {
      producers.set(group.result, group);
      for (const value of valuesRead(group)) count(value, 1);
    },
    remove(group) {
      producers.delete(group.result);
      for (const value of valuesRead(group)) count(value, -1);
    },
  };
  for (const group of groups) uses.insert(group);
  for (const { value } of graph.outputs) count(resolveView(graph, value).value, 1);
  return uses;
}
