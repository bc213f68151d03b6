// The 1x1 convolution on a ResBlock's skip is summed into the product of the block's last convolution: a few more
// steps of its inner dimension instead of a dispatch, a write and a read of the whole activation. Where the last convolution
// loads its input through a dropout's mask and the skip joins two sources, there are too many buffers for one kernel; Winograd's
// algorithm has no place for it.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { Choose } from '../choices/candidates.ts';
import { fusedIn, type Uses, usesOf } from '../groups.ts';
import { hasMask } from '../prologue.ts';
import type { ConvGroup, FusionGroup } from '../schedule.ts';
import { resolveView } from '../values.ts';
import type { Fusion } from './fusion.ts';

export const fuse_skip_conv = (choose: Choose): Fusion => ({
  name: 'fuse_skip_conv',
  run: (graph, groups) => {
    const uses = usesOf(graph, groups);
    const gone = new Set<FusionGroup>();
    const fused = groups.map((group) => {
      if (group.kind !== 'conv') return group;
      const [first, ...rest] = group.epilogue;
      const plain = graph.nodes[group.anchor]!.op === 'conv' && group.skip === null;
      if (!plain || !first?.operand || graph.nodes[first.node]!.op !== 'add') return group;
      const skip = uses.producer(first.operand.value);
      if (!skip || !isPointwiseConv(graph, skip) || uses.readers(skip.result) !== 1) return group;
      if (choose(group).winograd !== null) return group;
      if (isMasked(graph, uses, group) && skip.sources.some((id) => isJoined(graph, id))) return group;
      gone.add(skip);
      return { ...group, skip: { sources: skip.sources, conv: skip.anchor }, epilogue: rest };
    });
    return fused.filter((group) => !gone.has(group));
  },
});

/** Whether a convolution reads what a mask was applied to, which it may apply itself later. */
function isMasked(graph: OpGraph, uses: Uses, { sources }: ConvGroup): boolean {
  return sources.some((id) => {
    const map = uses.producer(id);
    return map !== undefined && hasMask(graph, fusedIn(map).prologue);
  });
}

function isJoined(graph: OpGraph, id: number): boolean {
  return graph.nodes[resolveView(graph, id).value]!.op === 'concat';
}

/** A 1x1 convolution with nothing fused. */
function isPointwiseConv(graph: OpGraph, group: FusionGroup): boolean {
  const node = graph.nodes[group.anchor]!;
  if (group.kind !== 'conv' || node.op !== 'conv') return false;
  const kernel = graph.nodes[node.inputs[1]!]!.type.shape.slice(2);
  const bare =
    group.prologue.length + group.epilogue.length === 0 && group.upsample === null && group.skip === null;
  return bare && kernel.every((k) => k === 1) && node.attrs.stride.every((s) => s === 1);
}
