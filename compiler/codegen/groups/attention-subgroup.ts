// Attention in one dispatch for subgroups of 8 lanes: 16 queries by a slice of a head's channels a subgroup.

import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { GroupOf, Schedule } from '../../schedule/schedule.ts';
import { extentOf } from '../../schedule/values.ts';
import { standing } from '../fragment.ts';
import { texelHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { attention, attentionSizes } from './attention.ts';
import { unrolledProducts } from './products.ts';

/** Quads that a slice has at the most: two a lane. */
export const MOST_QUADS = 16;

export function attentionSubgroup(schedule: Schedule, group: GroupOf<'attention'>): KernelCall {
  // heads that begin inside a quad are read from a buffer
  if (group.home === 'buffer') return attention(schedule, group);
  const { graph } = schedule;
  const { sizes, heads, batch } = attentionSizes(graph, group);
  const headQuads = sizes.head_channels / 4;
  const slices = Math.ceil(headQuads / MOST_QUADS);
  const out = extentOf(graph, group.result);
  const stored = texelHalves(graph, { source0: group.sources[0]!, result: group.result });
  return callKernel({
    file: 'attention_subgroup',
    consts: { HALVES: headQuads > 8 ? 2 : 1, TEXTURE_WIDTH },
    ...stored,
    hooks: { ...stored.hooks, multiply: unrolledProducts('scores', 2, null) },
    declared: {
      source0: standing(graph, group.sources[0]!, group.home),
      result: standing(graph, group.result, group.home),
    },
    workgroups: [Math.ceil(out.pixels / 16), heads * slices, batch],
    sizes: {
      positions: out.pixels,
      head_quads: headQuads,
      slices,
      head_stride: sizes.head_stride / 4,
      part_stride: sizes.part_stride / 4,
      qkv_quads: extentOf(graph, group.sources[0]!).quads,
      out_quads: out.quads,
      scale: sizes.scale,
    },
  });
}
