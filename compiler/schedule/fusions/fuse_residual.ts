// A residual is added by the product that computes the other operand: the convolution that ends a ResBlock, the
// projection that ends an attention, the linear layer that the label embedding is added to. A convolution adds one: where
// cotangents of several readers are summed, a second one has no texture left on processors.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { ConvGroup } from '../schedule.ts';
import type { Fusion } from './fusion.ts';
import { absorbIntoProducer } from './fusion.ts';

export const fuse_residual: Fusion = {
  name: 'fuse_residual',
  run: (graph, groups) =>
    absorbIntoProducer(groups, graph, (producer, op) => {
      if (op !== 'add' || producer.sources.length !== 1) return false;
      return producer.kind === 'linear' || !addsResidual(graph, producer);
    }),
};

function addsResidual(graph: OpGraph, { epilogue }: ConvGroup): boolean {
  return epilogue.some(({ node }) => graph.nodes[node]!.op === 'add');
}
