// A residual is added by the product that computes the other operand: the convolution that ends a ResBlock, the
// projection that ends an attention, the linear layer that the label embedding is added to.

import type { Fusion } from './fusion.ts';
import { absorbIntoProducer } from './fusion.ts';

export const fuse_residual: Fusion = {
  name: 'fuse_residual',
  run: (graph, groups) =>
    absorbIntoProducer(
      groups,
      graph,
      (producer, op) =>
        (producer.kind === 'conv' || producer.kind === 'linear') &&
        producer.sources.length === 1 &&
        op === 'add',
    ),
};
