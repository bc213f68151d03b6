// What a classifier has instead of a head: its blocks pooled to one row of logits. Source: guided-diffusion, unet.py
// (EncoderUNetModel).

import type { z } from 'zod';
import { choice, integer, LIMITS, strict } from '../format/fields.ts';

/** The key `pool` of the explicit form. */
export const poolSchema = strict({
  type: choice(['adaptive', 'attention', 'spatial', 'spatial_v2']).describe(
    'adaptive: norm, SiLU, mean over space, 1x1 convolution. attention: norm, SiLU, attention of the mean over all positions. spatial: the means of all blocks through two linear layers with ReLU between them; spatial_v2: with a norm and SiLU.',
  ),
  head_channels: integer(1, LIMITS.channels)
    .default(64)
    .describe('Channels of a head of the pool `attention`.'),
}).describe('Makes the model a classifier: without output blocks, and with logits of out_channels classes.');

export type Pool = Readonly<z.output<typeof poolSchema>>;
export type PoolType = Pool['type'];

/** Whether a pool reads the means of all blocks, and not the last one. */
export function poolsAllBlocks({ type }: Pool): boolean {
  return type === 'spatial' || type === 'spatial_v2';
}
