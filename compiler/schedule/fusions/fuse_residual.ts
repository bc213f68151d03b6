// A residual is added by the product that computes the other operand: the convolution that ends a ResBlock, the
// projection that ends an attention, the linear layer that the label embedding is added to; and cotangents of several readers
// are summed by what computes the last of them, a convolution or the gradient of a norm. A convolution adds one, and a norm's
// gradient two: on processors a kernel binds four textures.

import type { OpGraph } from '../../opgraph/opgraph.ts';
import type { ConvGroup, NormGradientGroup } from '../schedule.ts';
import type { Fusion } from './fusion.ts';
import { absorbIntoProducer } from './fusion.ts';

export const fuse_residual: Fusion = {
  name: 'fuse_residual',
  run: (graph, groups) =>
    absorbIntoProducer(groups, graph, (producer, op) => {
      if (op !== 'add') return false;
      switch (producer.kind) {
        case 'linear':
          return true;
        case 'conv':
          return producer.sources.length === 1 && residualsOf(graph, producer) === 0;
        case 'norm_gradient':
          return residualsOf(graph, producer) < 2;
      }
    }),
};

function residualsOf(graph: OpGraph, { epilogue }: ConvGroup | NormGradientGroup): number {
  return epilogue.filter(({ node }) => graph.nodes[node]!.op === 'add').length;
}
