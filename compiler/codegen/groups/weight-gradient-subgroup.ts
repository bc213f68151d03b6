// The gradient of a convolution's weight by single subgroups: a product over pixels, tap by tap, in parts that a second dispatch
// adds up, or the calls of Winograd's algorithm.

import { invariant } from '../../diagnostics.ts';
import type { OpGraph } from '../../opgraph/opgraph.ts';
import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { Schedule, ScheduledWeightGradient } from '../../schedule/schedule.ts';
import { extentOf } from '../../schedule/values.ts';
import { isLinear, weightParts } from '../../schedule/weight-parts.ts';
import { joinFragments, standing, value } from '../fragment.ts';
import { loadSources } from '../fused-ops.ts';
import { texelHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { unrolledOuterProducts } from './products.ts';
import { partsOf, sumOfParts, tapGeometry, weightGradientOfLinear } from './weight-gradient.ts';
import { weightGradientWinograd } from './weight-gradient-winograd.ts';

/** Quads of the cotangent's channels that a workgroup computes, and of the input's: one a lane. */
const ROWS = 8;
const COLUMNS = 8;

export function weightGradientSubgroup(
  { graph }: Schedule,
  group: ScheduledWeightGradient,
): KernelCall | readonly KernelCall[] {
  if (group.winograd !== null) return weightGradientWinograd(graph, group, group.winograd);
  return isLinear(graph, group) ? weightGradientOfLinear(graph, group) : ofConv(graph, group);
}

function ofConv(graph: OpGraph, group: ScheduledWeightGradient): readonly KernelCall[] {
  invariant(group.prologue.length === 0, `conv_weight_gradient_subgroup has no prologue (%${group.anchor})`);
  const parts = weightParts(graph, group);
  const g = extentOf(graph, group.cotangent);
  const loaded = joinFragments(
    loadSources(graph, group.sources, 'load_input', group.home),
    texelHalves(graph, { cotangent: group.cotangent }),
  );
  const quads = (loaded.sizes.quads0 ?? 0) + (loaded.sizes.quads1 ?? 0);
  const geometry = tapGeometry(graph, group);
  const product = callKernel({
    file: 'conv_weight_gradient_subgroup',
    consts: { ROWS, TEXTURE_WIDTH },
    ...loaded,
    hooks: { ...loaded.hooks, multiply: unrolledOuterProducts(ROWS) },
    declared: {
      cotangent: standing(graph, group.cotangent, group.home),
      result: parts.count === 1 ? value(group.result) : partsOf(group),
    },
    workgroups: [Math.ceil(g.quads / ROWS), Math.ceil(quads / COLUMNS) * geometry.taps, parts.count],
    sizes: {
      ...loaded.sizes,
      ...geometry,
      in_pixels: extentOf(graph, group.sources[0]!).pixels,
      samples: parts.samples,
      per_sample: parts.perSample,
      part_pixels: parts.pixels,
    },
  });
  return [product, ...sumOfParts(graph, group)];
}
