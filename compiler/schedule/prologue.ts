// The ops of a prologue by their stage. Kernels have code for a norm, FiLM, an activation function and a dropout's mask in
// front of an anchor, in this order and each at most once: norm and FiLM become one scale and one shift of a channel.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { type Activation, isActivation } from '../ops/activations.ts';
import type { FusedOp } from './schedule.ts';

export interface PrologueStages {
  readonly norm: FusedOp | null;
  readonly film: FusedOp | null;
  readonly activation: Activation | null;
  readonly mask: FusedOp | null;
}

/** Whether a dropout's mask is among ops that are applied in a group. */
export function hasMask(graph: OpGraph, ops: readonly FusedOp[]): boolean {
  return ops.some(({ node }) => graph.nodes[node]!.op === 'apply_mask');
}

/** The stages of ops that are applied to what is loaded; null where kernels have no code for them in this order. */
export function stagesOf(graph: OpGraph, ops: readonly FusedOp[]): PrologueStages | null {
  const rest = ops.map((op) => ({ op, name: graph.nodes[op.node]!.op }));
  const take = (name: 'group_norm' | 'film' | 'apply_mask') =>
    rest[0]?.name === name ? rest.shift()!.op : null;
  const norm = take('group_norm');
  const film = take('film');
  const next = rest[0]?.name;
  const activation = next !== undefined && isActivation(next) ? next : null;
  if (activation) rest.shift();
  const mask = take('apply_mask');
  return rest.length === 0 ? { norm, film, activation, mask } : null;
}
