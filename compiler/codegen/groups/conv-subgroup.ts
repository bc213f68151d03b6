// A convolution group becomes a call of conv_subgroup, one subgroup a tile, or the calls of Winograd's algorithm.

import { invariant } from '../../diagnostics.ts';
import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { Schedule, ScheduledConv } from '../../schedule/schedule.ts';
import { epilogueOf } from '../epilogue.ts';
import { type Fragment, joinFragments, standing } from '../fragment.ts';
import { writeStatistics } from '../fused-ops.ts';
import { roundedEpilogue, texelHalves } from '../half.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { convGeometry } from './conv-geometry.ts';
import { productOf } from './conv-tile.ts';
import { convWinograd } from './conv-winograd.ts';

/** Input channels of a step: a quad. */
const CHUNK = 4;

export function convSubgroup(schedule: Schedule, group: ScheduledConv): KernelCall | readonly KernelCall[] {
  return group.winograd === null
    ? convDirect(schedule.graph, group)
    : convWinograd(schedule.graph, group, group.winograd);
}

function convDirect(graph: OpGraph, group: ScheduledConv): KernelCall {
  const bare = group.prologue.length === 0 && group.skip === null;
  invariant(bare, `conv_subgroup has no prologue and no skip (%${group.anchor})`);
  const { node, out, input, taps, quads, fragment } = convGeometry(graph, group);
  const tile = group.tile;
  const steps = quads * taps;

  const product = createWeightsBuilder(graph);
  const transposed = node.op === 'conv_transpose';
  const offset = product.reserveProduct(out.channels, steps, CHUNK, tile);
  const place = { layout: 'quads', tile, chunk: CHUNK, steps, offset } as const;
  product.product(node.inputs[1]!, { ...place, firstStep: 0, transposed });
  const biasAt = product.bias(node.inputs[2], out.channels);
  const joined = joinFragments(
    fragment,
    ADD_BIAS,
    epilogueOf(graph, group.epilogue, { home: group.home, sum: 'sum + bias' }),
    writeStatistics(group, 'conv_subgroup_statistics'),
    texelHalves(graph, { result: group.result }),
  );
  const fused = roundedEpilogue(graph, group, joined);
  return callKernel({
    file: 'conv_subgroup',
    ...fused,
    ...productOf(tile, fused.hooks),
    declared: { product: { kind: 'product' }, result: standing(graph, group.result, group.home) },
    product: product.finish('texture'),
    workgroups: [Math.ceil(out.pixels / tile.m), Math.ceil(out.channels / tile.n), out.batch],
    sizes: { ...fused.sizes, in_pixels: input.pixels, out_row: out.pixels, planes: 1, bias_at: biasAt / 4 },
  });
}

/** The bias stands behind the weights. */
const ADD_BIAS: Fragment = {
  hooks: { prepare_quad: ['bias = textureLoad(product, texel(sizes.bias_at + quad));'] },
  functions: ['var<private> bias: vec4f;'],
  extra: [],
  sizes: {},
};
