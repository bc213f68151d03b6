// A classifier's pool: GroupNorm, SiLU, and attention of the mean over all positions and itself, each with its positional
// embedding. It computes in float32 in every precision. Source: guided-diffusion, unet.py (AttentionPool2d); Radford et al.
// 2021, arXiv:2103.00020.

import { sizeOf } from '../ops/op.ts';
import type { ModuleDef } from './layer.ts';
import { type Norm, normFact } from './norm.ts';
import { affine } from './part.ts';
import { castTo } from './scope.ts';

export interface AttentionPool {
  /** Channels of the last block. */
  readonly channels: number;
  readonly classes: number;
  readonly norm: Norm;
  /** Channels of a head. */
  readonly head_channels: number;
  /** Positions of the last block: the positional embedding has one more, that of the mean. */
  readonly positions: number;
}

export const attention_pool = {
  parameters: ({ channels, classes, positions }) => [
    ...affine('norm', [channels]),
    { part: 'tokens', tensor: 'positional_embedding', shape: [channels, positions + 1] },
    ...affine('qkv', [3 * channels, channels, 1]),
    ...affine('proj', [classes, channels, 1]),
  ],
  /** The result is [B, classes]. */
  lower({ channels, classes, norm, head_channels }, at, x) {
    const { b } = at;
    const h = b.add('silu', [at.norm('norm', castTo(b, x, 'f32', at.path()), norm)], {}, at.path('silu'));
    const [batch, , ...space] = b.typeOf(h).shape;
    const positions = sizeOf(space);
    const path = at.path('tokens');
    const flat = b.add('reshape', [h], { shape: [batch!, channels, positions] }, path);
    const mean = b.add('avg_pool', [flat], { kernel: [positions] }, path);
    const size = [channels, positions + 1];
    const first = b.add('window', [mean], { start: [0, 0], size }, path);
    const others = b.add('window', [flat], { start: [0, -1], size }, path);
    const tokens = b.add('add', [first, others], {}, path);
    const placed = b.add('position_add', [tokens, at.param('tokens', 'positional_embedding')], {}, path);
    const qkv = at.convolution('qkv', placed, { dtype: 'f32' });
    const attrs = { heads: channels / head_channels, order: 'qkv_first' } as const;
    const attended = b.add('attention', [qkv], attrs, at.path('attention'));
    const pooled = b.add('window', [attended], { start: [0, 0], size: [channels, 1] }, at.path('attention'));
    const logits = at.convolution('proj', pooled, { dtype: 'f32' });
    return b.add('reshape', [logits], { shape: [batch!, classes] }, at.path());
  },
  facts: { norm: normFact, head_channels: { changes: 'meaning' }, positions: { changes: 'shapes' } },
} as const satisfies ModuleDef<AttentionPool, 'norm' | 'silu' | 'tokens' | 'qkv' | 'attention' | 'proj'>;
