// The ops of a prologue by their stage. Kernels have code for a norm, FiLM and an activation function in front of an
// anchor, in this order and each at most once: norm and FiLM become one scale and one shift of a channel.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { type Activation, isActivation } from '../ops/activations.ts';
import type { FusedOp } from './schedule.ts';

export interface PrologueStages {
  readonly norm: FusedOp | null;
  readonly film: FusedOp | null;
  readonly activation: Activation | null;
}

/** The stages of ops that are applied to what is loaded; null where kernels have no code for them in this order. */
export function stagesOf(graph: OpGraph, ops: readonly FusedOp[]): PrologueStages | null {
  const rest = ops.map((op) => ({ op, name: graph.nodes[op.node]!.op }));
  const take = (name: 'group_norm' | 'film') => (rest[0]?.name === name ? rest.shift()!.op : null);
  const norm = take('group_norm');
  const film = take('film');
  const last = rest[0]?.name;
  const activation = last !== undefined && isActivation(last) ? last : null;
  return rest.length === (activation ? 1 : 0) ? { norm, film, activation } : null;
}
