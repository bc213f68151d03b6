// Average pooling: alone, or with norm and activation function in front of it.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { Schedule, ScheduledPool } from '../../schedule/schedule.ts';
import { normOf } from '../../schedule/statistics.ts';
import { extentOf, nodeOf, padSpace } from '../../schedule/values.ts';
import { joinFragments, standing, value } from '../fragment.ts';
import { affinePrologue, loadInput, prologueOf } from '../fused-ops.ts';
import { storedHalves, texelHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { gridOf } from './grid.ts';
import { normBuffers, prologueHook } from './map.ts';

/** Output pixels of a workgroup that applies a norm: enough to repay what it computes once. */
const TILE_PIXELS = 32;

/** Octets of output pixels of a workgroup. */
const OCTETS = 8;

export function avg_pool({ graph }: Schedule, group: ScheduledPool): KernelCall {
  return group.prologue.length === 0 ? plainPool(graph, group) : normedPool(graph, group);
}

export function avgPoolSubgroup({ graph }: Schedule, group: ScheduledPool): KernelCall {
  if (group.prologue.length === 0) return plainPool(graph, group);
  const out = extentOf(graph, group.result);
  const fused = joinFragments(
    loadInput(graph, group, 'sizes.in_pixels'),
    affinePrologue(graph, group, '(sizes.quads0 + sizes.quads1)'),
    texelHalves(graph, { result: group.result }),
  );
  return callKernel({
    file: 'avg_pool_subgroup',
    consts: { OCTETS, TEXTURE_WIDTH },
    ...fused,
    declared: { result: standing(graph, group.result, group.home) },
    workgroups: [Math.ceil(out.pixels / (OCTETS * 8)), out.quads, out.batch],
    sizes: { ...fused.sizes, ...poolSizes(graph, group) },
  });
}

function plainPool(graph: OpGraph, group: ScheduledPool): KernelCall {
  return callKernel({
    file: 'avg_pool',
    ...storedHalves(graph, { source0: group.sources[0]!, result: group.result }),
    declared: { source0: value(group.sources[0]!), result: value(group.result) },
    workgroups: gridOf(extentOf(graph, group.result)),
    sizes: poolSizes(graph, group),
  });
}

function normedPool(graph: OpGraph, group: ScheduledPool): KernelCall {
  const out = extentOf(graph, group.result);
  const weights = createWeightsBuilder(graph);
  const prologue = prologueOf(graph, group, weights);
  const normed = normOf(graph, group) !== null;
  const fused = joinFragments(
    loadInput(graph, group, 'sizes.in_pixels'),
    normed ? normBuffers() : joinFragments(),
    prologue,
    prologueHook(prologue),
    storedHalves(graph, { result: group.result }),
  );
  return callKernel({
    file: 'avg_pool_prologue',
    consts: { TILE_PIXELS },
    ...fused,
    declared: { result: value(group.result) },
    weights: normed ? weights.finish() : null,
    workgroups: [Math.ceil(out.pixels / TILE_PIXELS), Math.ceil(out.quads / 8), out.batch],
    sizes: { ...fused.sizes, ...poolSizes(graph, group) },
  });
}

function poolSizes(graph: OpGraph, { anchor, result }: ScheduledPool) {
  const out = extentOf(graph, result);
  const node = nodeOf(graph, anchor, 'avg_pool');
  const input = extentOf(graph, node.inputs[0]!);
  const [kernel_d, kernel_h, kernel_w] = padSpace(node.attrs.kernel, 1);
  return {
    pixels: out.pixels,
    height: out.height,
    width: out.width,
    out_quads: out.quads,
    in_pixels: input.pixels,
    in_height: input.height,
    in_width: input.width,
    kernel_d,
    kernel_h,
    kernel_w,
  };
}
