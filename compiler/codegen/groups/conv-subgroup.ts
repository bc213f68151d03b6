// A convolution group becomes a call of conv_subgroup: one subgroup a tile, weights by lane.

import { invariant } from '../../diagnostics.ts';
import type { Schedule, ScheduledGroup } from '../../schedule/schedule.ts';
import { TEXTURE_WIDTH } from '../../schedule/storage.ts';
import { epilogueOf } from '../epilogue.ts';
import { type Fragment, joinFragments, readBuffer, statisticsBuffer, value } from '../fused-ops.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';
import { convGeometry } from './conv-geometry.ts';
import { convWinograd } from './conv-winograd.ts';

/** Input channels of a step: a quad. */
const CHUNK = 4;

export function convSubgroup(schedule: Schedule, group: ScheduledGroup): KernelCall | readonly KernelCall[] {
  return group.winograd ? convWinograd(schedule, group) : convDirect(schedule, group);
}

function convDirect({ graph, textures }: Schedule, group: ScheduledGroup): KernelCall {
  invariant(group.prologue.length === 0, `conv_subgroup has no prologue (%${group.anchor})`);
  const { node, out, taps, quads, skipQuads, fragment } = convGeometry(graph, group, textures);
  const tile = group.tile!;
  const steps = quads * taps + skipQuads;

  const product = createWeightsBuilder(graph);
  const weights = createWeightsBuilder(graph);
  const transposed = node.op === 'conv_transpose';
  const offset = product.reserveProduct(out.channels, steps, CHUNK, tile);
  const place = { layout: 'lanes', tile, chunk: CHUNK, steps, offset } as const;
  product.product(node.inputs[1]!, { ...place, firstStep: 0, transposed });
  const biasAt = weights.vector(node.inputs[2]!);
  if (group.skip) {
    const [, skipWeight, skipBias] = graph.nodes[group.skip.conv]!.inputs;
    product.product(skipWeight!, { ...place, firstStep: quads * taps, transposed: false });
    weights.accumulate(skipBias!, biasAt);
  }
  const fused = joinFragments(
    fragment,
    epilogueOf(graph, group.epilogue, 'channel', 'sum + bias[channel]'),
    group.writes ? writeStatistics(group) : joinFragments(),
  );
  return callKernel({
    file: 'conv_subgroup',
    consts: { OCTETS: tile.m / 8, BLOCKS: tile.n / 8, TEXTURE_WIDTH },
    ...fused,
    declared: { product: { kind: 'product' }, result: value(group.result) },
    extra: [readBuffer('bias', { kind: 'weights' }, 'array<f32>'), ...fused.extra],
    weights: weights.finish(),
    product: product.finish('texture'),
    workgroups: [Math.ceil(out.pixels / tile.m), Math.ceil(out.channels / tile.n), out.batch],
    sizes: { ...fused.sizes, planes: 1 },
  });
}

/** A lane has all pixels of its channel: mean, then squared deviations from it. */
function writeStatistics(group: ScheduledGroup): Fragment {
  const over = (line: string) => ['for (var p = 0u; p < OCTETS * 8u; p++) {', `  ${line}`, '}'];
  return {
    hooks: {
      finish_tile: [
        'let pixels = min(OCTETS * 8u, sizes.pixels - tile * OCTETS * 8u);',
        'var mean = 0.0;',
        ...over('mean += select(0.0, sums[p * BLOCKS + block], p < pixels);'),
        'mean /= f32(pixels);',
        'var m2 = 0.0;',
        ...over(
          'm2 += select(0.0, (sums[p * BLOCKS + block] - mean) * (sums[p * BLOCKS + block] - mean), p < pixels);',
        ),
        'let tiles = (sizes.pixels + OCTETS * 8u - 1u) / (OCTETS * 8u);',
        'let at = ((sample * tiles + tile) * sizes.out_quads + channel / 4u) * 8u + channel % 4u;',
        'statistics[at] = mean;',
        'statistics[at + 4u] = m2;',
      ],
    },
    functions: [],
    extra: [statisticsBuffer(group, 'array<f32>')],
    sizes: {},
  };
}
