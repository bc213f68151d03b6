// Self-attention over all positions: GroupNorm, qkv, attention, projection, residual. Source: improved-diffusion, unet.py
// (AttentionBlock); guided-diffusion, unet.py (QKVAttention); Vaswani et al. 2017, arXiv:1706.03762.

import { z } from 'zod';
import { choice, integer, LIMITS, layerChannels, strict } from '../format/fields.ts';
import { sizeOf } from '../ops/op.ts';
import { type LayerDef, plain } from './layer.ts';
import { norm, normFact } from './norm.ts';
import { affine } from './part.ts';
import type { Scope } from './scope.ts';

const fields = {
  type: z.literal('attention'),
  channels: layerChannels('Channels that arrive and leave.'),
  heads: integer(1, LIMITS.channels).default(1).describe('Attention heads; they divide the channels.'),
  norm,
  order: choice(['heads_first', 'qkv_first'])
    .default('heads_first')
    .describe(
      'How the channels of q, k and v lie: those of a head together, or those of all q, all k and all v.',
    ),
};
const schema = strict(fields).describe('Self-attention over all positions, with a residual.');

export type AttentionLayer = Readonly<z.output<typeof schema>>;

type Part = 'norm' | 'qkv' | 'attention' | 'proj';

export const attention = {
  ...plain,
  fields,
  schema,
  spelled: ['type', 'channels', 'heads'],
  channels: { in: 'channels', out: 'channels' },
  parameters: ({ channels }) => [
    ...affine('norm', [channels]),
    ...affine('qkv', [3 * channels, channels, 1]),
    ...affine('proj', [channels, channels, 1]),
  ],
  lower,
  norms: ({ norm }) => [{ field: 'channels', norm }],
  heads: ({ heads, channels }) => ({ heads, channels }),
  inert: () => true,
  facts: {
    heads: { changes: 'meaning', rule: 'heads' },
    norm: normFact,
    order: { changes: 'meaning' },
  },
  role: () => 'attn',
  label: ({ heads }) => `attn × ${heads}`,
  read(shapeOf) {
    const weight = shapeOf('qkv', 'weight');
    return weight ? { type: 'attention', channels: weight[1] ?? 0 } : null;
  },
} as const satisfies LayerDef<AttentionLayer, Part, z.input<typeof schema>>;

function lower(layer: AttentionLayer, at: Scope<Part>, x: number): number {
  const { b } = at;
  const { shape } = b.typeOf(x);
  const flat = b.add(
    'reshape',
    [x],
    { shape: [shape[0]!, layer.channels, sizeOf(shape.slice(2))] },
    at.path(),
  );
  let h = at.norm('norm', flat, layer.norm);
  h = at.convolution('qkv', h);
  h = b.add('attention', [h], { heads: layer.heads, order: layer.order }, at.path('attention'));
  h = at.convolution('proj', h);
  h = b.add('add', [flat, h], {}, at.path());
  return b.add('reshape', [h], { shape }, at.path());
}
