// The head behind the last block: GroupNorm, SiLU, 3^dims convolution. It computes in float32 in every precision.

import { cube, type ModuleDef } from './layer.ts';
import { type Norm, normFact } from './norm.ts';
import { affine, convolution } from './part.ts';
import { castTo } from './scope.ts';

export interface Head {
  /** Channels of the last block. */
  readonly channels: number;
  /** Channels of the model's output. */
  readonly out_channels: number;
  readonly norm: Norm;
}

export const head = {
  parameters: ({ channels, out_channels }, { dims }) => [
    ...affine('norm', [channels]),
    ...convolution('conv', channels, out_channels, cube(3, dims)),
  ],
  lower({ norm }, at, x) {
    const h = at.norm('norm', castTo(at.b, x, 'f32', at.path()), norm);
    return at.convolution('conv', at.b.add('silu', [h], {}, at.path('silu')), { dtype: 'f32' });
  },
  facts: { norm: normFact },
} as const satisfies ModuleDef<Head, 'norm' | 'silu' | 'conv'>;
