// A classifier's pool: GroupNorm, SiLU, mean over space, 1x1 convolution. It computes in float32 in every precision.

import { cube, type ModuleDef } from './layer.ts';
import { type Norm, normFact } from './norm.ts';
import { affine, convolution } from './part.ts';
import { castTo } from './scope.ts';

export interface AdaptivePool {
  /** Channels of the last block. */
  readonly channels: number;
  readonly classes: number;
  readonly norm: Norm;
}

export const adaptive_pool = {
  parameters: ({ channels, classes }, { dims }) => [
    ...affine('norm', [channels]),
    ...convolution('conv', channels, classes, cube(1, dims)),
  ],
  /** The result is [B, classes]. */
  lower({ classes, norm }, at, x) {
    const { b } = at;
    const h = b.add('silu', [at.norm('norm', castTo(b, x, 'f32', at.path()), norm)], {}, at.path('silu'));
    const [batch, , ...space] = b.typeOf(h).shape;
    const mean = b.add('avg_pool', [h], { kernel: space }, at.path('mean'));
    const logits = at.convolution('conv', mean, { dtype: 'f32' });
    return b.add('reshape', [logits], { shape: [batch!, classes] }, at.path());
  },
  facts: { norm: normFact },
} as const satisfies ModuleDef<AdaptivePool, 'norm' | 'silu' | 'mean' | 'conv'>;
