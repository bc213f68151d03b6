// What a group costs: floating-point operations, and bytes that have to move when every resource is read once.

import type { OpGraph } from '../opgraph/opgraph.ts';
import { opDef } from '../ops/index.ts';
import type { OpAttrs, OpName, TensorType } from '../ops/op.ts';
import { sizeOf } from '../ops/op.ts';
import { fusedIn } from './groups.ts';
import { type Resource, readsOf, writesOf } from './resources.ts';
import type { ScheduledGroup } from './schedule.ts';
import { isParam } from './values.ts';

/** The nodes that a group computes: none where it prepares what another one needs. */
export function nodesOf(group: ScheduledGroup): readonly number[] {
  switch (group.kind) {
    case 'statistics':
    case 'merge_statistics':
    case 'affine':
    case 'transfer':
      return [];
    case 'conv':
    case 'map':
    case 'linear':
    case 'attention':
    case 'attention_gradient':
    case 'window':
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
    case 'channel_sum':
    case 'weight_gradient':
    case 'gather_channels':
    case 'avg_pool':
    case 'upsample_linear':
    case 'embedding': {
      const { upsample, prologue, skip, epilogue } = fusedIn(group);
      const own = [
        ...(upsample === null ? [] : [upsample]),
        ...(skip ? [skip.conv] : []),
        ...[...prologue, ...epilogue].flatMap(({ node, resampled }) =>
          resampled === undefined ? [node] : [resampled, node],
        ),
      ];
      return own.includes(group.anchor) ? own : [group.anchor, ...own];
    }
    case 'norm_gradient':
    case 'norm_sums':
      return [...group.through, { node: group.anchor }, ...fusedIn(group).epilogue].map(({ node }) => node);
  }
}

export interface GroupCost {
  readonly flops: number;
  readonly bytes: number;
}

export function costOf(graph: OpGraph, group: ScheduledGroup): GroupCost {
  const flops = nodesOf(group).reduce((sum, id) => sum + nodeFlops(graph, id), 0);
  const params = nodesOf(group).flatMap((id) => graph.nodes[id]!.inputs.filter((i) => isParam(graph, i)));
  const weights = params.reduce((sum, id) => sum + typeBytes(graph.nodes[id]!.type), 0);
  const moved = [...readsOf(graph, group), ...writesOf(graph, group)].reduce(
    (sum, { resource, bytes }) => sum + (isOwn(resource) ? 0 : bytes),
    0,
  );
  return { flops, bytes: weights + moved };
}

const OWN: ReadonlySet<Resource['kind']> = new Set([
  'input_planes',
  'output_planes',
  'cotangent_planes',
  'attention_rows',
  'parts',
] as const);

/** Whether only the dispatches of one group know a resource: what moves between them is the algorithm's own affair. */
function isOwn({ kind }: Resource): boolean {
  return OWN.has(kind);
}

function typeBytes({ dtype, shape }: TensorType): number {
  return (dtype === 'f16' ? 2 : 4) * sizeOf(shape);
}

function nodeFlops(graph: OpGraph, id: number): number {
  const node = graph.nodes[id]!;
  const types = node.inputs.map((i) => graph.nodes[i]!.type);
  return flopsOf(node.op, types, node.attrs);
}

function flopsOf<N extends OpName>(op: N, types: readonly TensorType[], attrs: OpAttrs[N]): number {
  return opDef(op).flops(types, attrs);
}
