// The additive time embedding is added by the convolution whose result it is added to.

import type { Fusion } from './fusion.ts';
import { absorbIntoProducer } from './fusion.ts';

export const fuse_time_add: Fusion = {
  name: 'fuse_time_add',
  run: (graph, groups) =>
    absorbIntoProducer(groups, graph, (producer, op) => producer.kind === 'conv' && op === 'channel_add'),
};
