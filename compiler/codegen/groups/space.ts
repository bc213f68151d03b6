// Groups that change the size or the channels of an activation and compute little: interpolation, joining channels that end
// inside a quad, rows of a table.

import type { GroupOf, Schedule } from '../../schedule/schedule.ts';
import { extentOf } from '../../schedule/values.ts';
import { joinFragments, value } from '../fragment.ts';
import { storedHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { gridOf } from './grid.ts';

export function upsample_linear({ graph }: Schedule, group: GroupOf<'upsample_linear'>): KernelCall {
  const out = extentOf(graph, group.result);
  const input = extentOf(graph, graph.nodes[group.anchor]!.inputs[0]!);
  return callKernel({
    file: 'upsample_linear',
    ...storedHalves(graph, { source0: group.sources[0]!, result: group.result }),
    declared: { source0: value(group.sources[0]!), result: value(group.result) },
    workgroups: gridOf(out),
    sizes: {
      pixels: out.pixels,
      height: out.height,
      width: out.width,
      out_quads: out.quads,
      in_depth: input.depth,
      in_height: input.height,
      in_width: input.width,
      ratio_d: input.depth / out.depth,
      ratio_h: input.height / out.height,
      ratio_w: input.width / out.width,
    },
  });
}

export function gather_channels({ graph }: Schedule, group: GroupOf<'gather_channels'>): KernelCall {
  const out = extentOf(graph, group.result);
  const [first, second] = group.sources.map((id) => extentOf(graph, id));
  const [source0, source1] = group.sources;
  return callKernel({
    file: 'gather_channels',
    ...joinFragments(
      storedHalves(graph, { source0: source0!, source1: source1! }, 'channel'),
      storedHalves(graph, { result: group.result }),
    ),
    declared: { source0: value(source0!), source1: value(source1!), result: value(group.result) },
    workgroups: gridOf(out),
    sizes: {
      pixels: out.pixels,
      out_quads: out.quads,
      channels0: first!.channels,
      channels1: second!.channels,
      quads0: first!.quads,
      quads1: second!.quads,
    },
  });
}

export function embedding({ graph }: Schedule, group: GroupOf<'embedding'>): KernelCall {
  const out = extentOf(graph, group.result);
  const table = graph.nodes[group.anchor]!.inputs[0]!;
  const weights = createWeightsBuilder(graph);
  weights.table(table);
  return callKernel({
    file: 'embedding',
    declared: {
      weights: { kind: 'weights' },
      source0: value(group.sources[0]!),
      result: value(group.result),
    },
    weights: weights.finish(),
    workgroups: [Math.ceil(out.quads / 64), 1, out.batch],
    sizes: { quads: out.quads, rows: graph.nodes[table]!.type.shape[0]! },
  });
}
