// A linear layer for subgroups of 8 lanes, with the label embedding and an activation function behind it.

import { TEXTURE_WIDTH } from '../../schedule/resources.ts';
import type { Schedule, ScheduledLinear } from '../../schedule/schedule.ts';
import { extentOf } from '../../schedule/values.ts';
import { epilogueOf } from '../epilogue.ts';
import { value } from '../fragment.ts';
import { callKernel, type KernelCall } from '../kernel-call.ts';
import { createWeightsBuilder } from '../weights.ts';

/** Outputs of a workgroup, and inputs of a step. */
const TILE = { m: 1, n: 32 };
const CHUNK = 4;

export function linearSubgroup({ graph }: Schedule, group: ScheduledLinear): KernelCall {
  const out = extentOf(graph, group.result);
  const input = extentOf(graph, group.sources[0]!);
  const [, weight, bias] = graph.nodes[group.anchor]!.inputs;
  const product = createWeightsBuilder(graph);
  const steps = input.quads;
  const offset = product.reserveProduct(out.channels, steps, CHUNK, TILE);
  const place = { layout: 'quads', tile: TILE, chunk: CHUNK, steps, firstStep: 0, offset } as const;
  product.product(weight!, { ...place, transposed: false });
  const biasAt = product.vector(bias!);
  return callKernel({
    file: 'linear_subgroup',
    consts: { TEXTURE_WIDTH },
    ...epilogueOf(graph, group.epilogue),
    declared: {
      product: { kind: 'product' },
      source0: value(group.sources[0]!),
      result: value(group.result),
    },
    product: product.finish('texture'),
    workgroups: [Math.ceil(out.channels / TILE.n), 1, out.batch],
    sizes: { in_quads: input.quads, out_quads: out.quads, bias_at: biasAt / 4 },
  });
}
