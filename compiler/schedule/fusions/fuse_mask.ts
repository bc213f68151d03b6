// A dropout's mask behind a convolution is applied before the result is stored: of a dropout's cotangent, which the
// convolution in front of it is computed by in the backward pass, only what the mask leaves is ever written.

import { hasMask } from '../prologue.ts';
import type { Fusion } from './fusion.ts';
import { absorbIntoProducer } from './fusion.ts';

export const fuse_mask: Fusion = {
  name: 'fuse_mask',
  run: (graph, groups) =>
    absorbIntoProducer(
      groups,
      graph,
      // a kernel reads one mask
      (producer, op) =>
        op === 'apply_mask' &&
        producer.kind === 'conv' &&
        !hasMask(graph, [...producer.prologue, ...producer.epilogue]),
    ),
};
