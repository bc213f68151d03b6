// The gradient of a convolution's weight: a product over pixels, in parts that a second dispatch adds up; of a linear layer's,
// which has one pixel a sample, a sum over samples.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import { sizeOf } from '../../ops/op.ts';
import type { Resource } from '../../schedule/resources.ts';
import type { Schedule, ScheduledWeightGradient } from '../../schedule/schedule.ts';
import { normOf } from '../../schedule/statistics.ts';
import { extentOf, nodeOf, padSpace } from '../../schedule/values.ts';
import { isLinear, weightParts } from '../../schedule/weight-parts.ts';
import { type Fragment, joinFragments, standing, value } from '../fragment.ts';
import { loadInput, type Prologue, prologueLines, prologueOf } from '../fused-ops.ts';
import { storedHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { gridOver } from './grid.ts';
import { normBuffers } from './map.ts';

/** Channels of a side of a tile. */
const TILE = 64;

export function weight_gradient(
  { graph }: Schedule,
  group: ScheduledWeightGradient,
): KernelCall | readonly KernelCall[] {
  return isLinear(graph, group) ? weightGradientOfLinear(graph, group) : ofConv(graph, group);
}

export function weightGradientOfLinear(graph: OpGraph, group: ScheduledWeightGradient): KernelCall {
  const [source] = group.sources;
  const input = extentOf(graph, source!);
  const g = extentOf(graph, group.cotangent);
  return callKernel({
    file: 'linear_weight_gradient',
    ...joinFragments(
      storedHalves(graph, { source0: source! }),
      storedHalves(graph, { cotangent: group.cotangent }, 'channel'),
    ),
    declared: {
      source0: value(source!),
      cotangent: value(group.cotangent),
      result: value(group.result),
    },
    workgroups: [Math.ceil(input.quads / 64), g.channels, 1],
    sizes: { batch: g.batch, in_quads: input.quads, g_row: g.quads * 4 },
  });
}

function ofConv(graph: OpGraph, group: ScheduledWeightGradient): readonly KernelCall[] {
  const parts = weightParts(graph, group);
  const weights = createWeightsBuilder(graph);
  const prologue = prologueOf(graph, group, weights);
  const normed = normOf(graph, group) !== null;
  const loaded = loadInput(graph, group, 'sizes.in_depth * sizes.in_height * sizes.in_width');
  const fused = joinFragments(
    normed ? normBuffers() : joinFragments(),
    loaded,
    prologue,
    prologueHooks(prologue),
    storedHalves(graph, { cotangent: group.cotangent }),
  );
  const g = extentOf(graph, group.cotangent);
  const sizes = tapGeometry(graph, group);
  const quads = (loaded.sizes.quads0 ?? 0) + (loaded.sizes.quads1 ?? 0);
  const product = callKernel({
    file: 'conv_weight_gradient',
    ...fused,
    declared: {
      cotangent: standing(graph, group.cotangent, group.home),
      result: parts.count === 1 ? value(group.result) : partsOf(group),
    },
    weights: normed ? weights.finish() : null,
    workgroups: [Math.ceil(g.channels / TILE), Math.ceil((quads * 4) / TILE) * sizes.taps, parts.count],
    sizes: {
      ...fused.sizes,
      ...sizes,
      step_pixels: 16,
      samples: parts.samples,
      per_sample: parts.perSample,
      part_pixels: parts.pixels,
    },
  });
  return [product, ...sumOfParts(graph, group)];
}

/** Adds the parts up, where there are several. */
export function sumOfParts(graph: OpGraph, group: ScheduledWeightGradient): readonly KernelCall[] {
  const { count } = weightParts(graph, group);
  if (count === 1) return [];
  const all = extentOf(graph, group.result);
  const total = all.batch * all.pixels * all.quads;
  return [
    callKernel({
      file: 'sum_parts',
      declared: { parts: partsOf(group), result: value(group.result) },
      workgroups: gridOver(total, 1024),
      sizes: { quads: total, parts: count },
    }),
  ];
}

/** What holds the parts of a group's result. */
export function partsOf({ result }: ScheduledWeightGradient): Resource {
  return { kind: 'parts', value: result };
}

/** Where the taps of a pixel of the cotangent fall. */
export function tapGeometry(graph: OpGraph, group: ScheduledWeightGradient) {
  const node = nodeOf(graph, group.anchor, 'conv_weight_gradient');
  const g = extentOf(graph, group.cotangent);
  const upsample = group.upsample === null ? null : nodeOf(graph, group.upsample, 'upsample_nearest');
  const input = extentOf(graph, (upsample ?? node).inputs[0]!);
  const [, kernel_h, kernel_w] = padSpace(node.attrs.kernel, 1);
  const [stride_d, stride_h, stride_w] = padSpace(node.attrs.stride, 1);
  const [pad_d, pad_h, pad_w] = padSpace(node.attrs.padding, 0);
  const [scale_d, scale_h, scale_w] = padSpace(upsample?.attrs.factor ?? [], 1);
  // the cotangent as it is written in the graph: its storage may have been written in another shape
  const { height, width } = extentOf(graph, node.inputs[1]!);
  return {
    batch: g.batch,
    pixels: g.pixels,
    height,
    width,
    out_quads: g.quads,
    out_channels: g.channels,
    in_depth: input.depth,
    in_height: input.height,
    in_width: input.width,
    ...{ scale_d, scale_h, scale_w, kernel_h, kernel_w },
    ...{ stride_d, stride_h, stride_w, pad_d, pad_h, pad_w },
    taps: sizeOf(node.attrs.kernel),
  };
}

/** Scale and shift are computed once a sample, by the threads of the tile's quads, and applied as quads are loaded. */
function prologueHooks({ affine, tail }: Prologue): Fragment {
  const prepare = [
    'let quad = first + lane;',
    'workgroupBarrier();',
    'if (lane < 16u && quad < sizes.quads0 + sizes.quads1) {',
    '  let a = affine_of(sample, quad);',
    '  affine[lane] = a.scale;',
    '  affine[lane + 16u] = a.shift;',
    '}',
  ];
  const prologue = prologueLines(affine ? ['affine[slot]', 'affine[slot + 16u]'] : null, tail);
  const hooks = {
    ...(affine ? { prepare_tile: prepare } : {}),
    ...(prologue.length > 0 ? { prologue } : {}),
  };
  return { hooks, functions: [], extra: [], sizes: {} };
}
