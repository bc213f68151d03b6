// An activation function behind a linear layer is applied before the result is written: the time path is written once a layer.

import { isActivation } from '../../ops/activations.ts';
import type { Fusion } from './fusion.ts';
import { absorbIntoProducer } from './fusion.ts';

export const fuse_activation: Fusion = {
  name: 'fuse_activation',
  run: (graph, groups) =>
    absorbIntoProducer(groups, graph, (producer, op) => producer.kind === 'linear' && isActivation(op)),
};
