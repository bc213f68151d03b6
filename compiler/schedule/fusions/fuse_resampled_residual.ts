// A residual that is pooled or repeated before it is added is read by the convolution that adds it, at the pixels that its
// own one comes of: residual blocks that halve or double the size resample their skip, and it is never written at that size.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { usesOf } from '../groups.ts';
import type { ConvGroup, FusedOp, FusionGroup } from '../schedule.ts';
import { nodeOf } from '../values.ts';
import type { Fusion } from './fusion.ts';

export const fuse_resampled_residual: Fusion = {
  name: 'fuse_resampled_residual',
  run: (graph, groups) => {
    const uses = usesOf(graph, groups);
    const gone = new Set<number>();
    const read = (group: ConvGroup, op: FusedOp): FusedOp => {
      if (graph.nodes[op.node]!.op !== 'add' || op.operand === null) return op;
      const resampling = uses.producer(op.operand.value);
      if (!resampling || uses.readers(resampling.result) !== 1) return op;
      if (!isResampling(resampling) || !isWhole(graph, resampling, group)) return op;
      gone.add(resampling.result);
      return { ...op, operand: { value: resampling.sources[0]!, start: 0 }, resampled: resampling.anchor };
    };
    const fused = groups.map((group) =>
      group.kind === 'conv' ? { ...group, epilogue: group.epilogue.map((op) => read(group, op)) } : group,
    );
    return fused.filter(({ result }) => !gone.has(result));
  },
};

/** A pooling or a nearest upsampling with nothing fused. */
function isResampling(group: FusionGroup): boolean {
  if (group.kind === 'avg_pool') return group.prologue.length === 0;
  if (group.kind !== 'map' || group.upsample === null) return false;
  return group.sources.length === 1 && group.prologue.length + group.epilogue.length === 0;
}

/** Whether the sizes of both images are those of the result and what the factors make of it, so that pixels can be found. */
function isWhole(graph: OpGraph, { anchor }: FusionGroup, conv: ConvGroup): boolean {
  const node = graph.nodes[anchor]!;
  const { shape } = node.type;
  if (shape.join() !== graph.nodes[conv.result]!.type.shape.join()) return false;
  if (node.op === 'upsample_nearest') return true;
  const { kernel } = nodeOf(graph, anchor, 'avg_pool').attrs;
  const input = graph.nodes[node.inputs[0]!]!.type.shape.slice(2);
  return input.every((size, axis) => size === shape[axis + 2]! * kernel[axis]!);
}
