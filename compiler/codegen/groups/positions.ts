// Groups that move positions or know them: windows, and a table over positions that is added.

import type { GroupOf, Schedule } from '../../schedule/schedule.ts';
import { extentOf, nodeOf, padSpace } from '../../schedule/values.ts';
import { joinFragments, value } from '../fragment.ts';
import { storedHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { gridOf } from './grid.ts';

export function window({ graph }: Schedule, group: GroupOf<'window'>): KernelCall {
  const { inputs, attrs } = nodeOf(graph, group.anchor, 'window');
  const out = extentOf(graph, group.result);
  const input = extentOf(graph, inputs[0]!);
  const [start_c, ...space] = attrs.start.map((at) => at >>> 0);
  const [start_d, start_h, start_w] = padSpace(space, 0);
  const [source] = group.sources;
  return callKernel({
    file: 'window',
    ...joinFragments(
      storedHalves(graph, { source0: source! }, 'channel'),
      storedHalves(graph, { result: group.result }),
    ),
    declared: { source0: value(source!), result: value(group.result) },
    workgroups: gridOf(out),
    sizes: {
      pixels: out.pixels,
      height: out.height,
      width: out.width,
      channels: out.channels,
      out_quads: out.quads,
      in_channels: input.channels,
      in_quads: input.quads,
      in_depth: input.depth,
      in_height: input.height,
      in_width: input.width,
      start_c: start_c!,
      start_d,
      start_h,
      start_w,
    },
  });
}

export function position_add({ graph }: Schedule, group: GroupOf<'position_add'>): KernelCall {
  const out = extentOf(graph, group.result);
  const weights = createWeightsBuilder(graph);
  weights.table(nodeOf(graph, group.anchor, 'position_add').inputs[1]!);
  const [source] = group.sources;
  return callKernel({
    file: 'position_add',
    ...storedHalves(graph, { source0: source!, result: group.result }),
    declared: { weights: { kind: 'weights' }, source0: value(source!), result: value(group.result) },
    weights: weights.finish(),
    workgroups: gridOf(out),
    sizes: {
      pixels: out.pixels,
      out_quads: out.quads,
      channels: out.channels,
      row_quads: Math.ceil(out.pixels / 4),
    },
  });
}
