// Groups that move positions or know them: windows, and a table over positions that is added.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { GroupOf, Schedule } from '../../schedule/schedule.ts';
import { extentOf, nodeOf, padSpace } from '../../schedule/values.ts';
import { joinFragments, standing, value } from '../fragment.ts';
import { storedHalves, texelHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { gridOf } from './grid.ts';

/** Octets of pixels of a workgroup of a window by subgroups. */
const OCTETS = 16;

export function window({ graph }: Schedule, group: GroupOf<'window'>): KernelCall {
  const { in_quads, start, ...sizes } = windowSizes(graph, group);
  const [source] = group.sources;
  const out = extentOf(graph, group.result);
  return callKernel({
    file: 'window',
    ...joinFragments(
      storedHalves(graph, { source0: source! }, 'channel'),
      storedHalves(graph, { result: group.result }),
    ),
    declared: { source0: value(source!), result: value(group.result) },
    workgroups: gridOf(out),
    sizes: {
      ...sizes,
      in_channels: extentOf(graph, source!).channels,
      in_quads,
      start_c: start >>> 0,
    },
  });
}

export function windowSubgroup(schedule: Schedule, group: GroupOf<'window'>): KernelCall {
  if (group.home === 'buffer') return window(schedule, group);
  const { graph } = schedule;
  const { start, ...sizes } = windowSizes(graph, group);
  const out = extentOf(graph, group.result);
  const [source] = group.sources;
  return callKernel({
    file: 'window_subgroup',
    consts: { OCTETS, TEXTURE_WIDTH },
    ...texelHalves(graph, { source0: source!, result: group.result }),
    declared: {
      source0: standing(graph, source!, 'texture'),
      result: standing(graph, group.result, 'texture'),
    },
    workgroups: [Math.ceil(out.pixels / (OCTETS * 8)), out.quads, out.batch],
    sizes: { ...sizes, start_quad: (start / 4) >>> 0 },
  });
}

/** Where a window begins and ends; `start` is its first channel. */
function windowSizes(graph: OpGraph, group: GroupOf<'window'>) {
  const { inputs, attrs } = nodeOf(graph, group.anchor, 'window');
  const out = extentOf(graph, group.result);
  const input = extentOf(graph, inputs[0]!);
  const [start = 0, ...space] = attrs.start;
  const [start_d, start_h, start_w] = padSpace(
    space.map((at) => at >>> 0),
    0,
  );
  return {
    pixels: out.pixels,
    height: out.height,
    width: out.width,
    channels: out.channels,
    out_quads: out.quads,
    in_quads: input.quads,
    in_depth: input.depth,
    in_height: input.height,
    in_width: input.width,
    ...{ start, start_d, start_h, start_w },
  };
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
