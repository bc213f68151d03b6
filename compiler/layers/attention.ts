// Self-attention over all positions: GroupNorm, qkv, attention, projection, residual. Source: improved-diffusion, unet.py
// (AttentionBlock); guided-diffusion, unet.py (QKVAttention); diffusers, attention_processor.py (Attention); Vaswani et al.
// 2017, arXiv:1706.03762.

import { z } from 'zod';
import { choice, integer, LIMITS, layerChannels, strict } from '../format/fields.ts';
import { sizeOf } from '../ops/op.ts';
import { divided, divisor, divisorFact } from './divisor.ts';
import { type LayerDef, plain } from './layer.ts';
import { normFact, optionalNorm } from './norm.ts';
import { affine } from './part.ts';
import type { Scope } from './scope.ts';

const fields = {
  type: z.literal('attention'),
  channels: layerChannels('Channels that arrive and leave.'),
  heads: integer(1, LIMITS.channels).default(1).describe('Attention heads; they divide the channels.'),
  norm: optionalNorm,
  order: choice(['heads_first', 'qkv_first'])
    .default('heads_first')
    .describe(
      'How the channels of q, k and v lie: those of a head together, or those of all q, all k and all v.',
    ),
  projections: choice(['joined', 'separate'])
    .default('joined')
    .describe(
      'Whether a checkpoint has q, k and v as one product and all weights as convolutions of one position, or q, k and v apart and all weights as linear layers.',
    ),
  divisor,
};
const schema = strict(fields).describe('Self-attention over all positions, with a residual.');

export type AttentionLayer = Readonly<z.output<typeof schema>>;

type Part = 'norm' | 'qkv' | 'q' | 'k' | 'v' | 'attention' | 'proj';

/** The parts that are one product where q, k and v are apart. */
const APART = ['q', 'k', 'v'] as const;

export const attention = {
  ...plain,
  fields,
  schema,
  spelled: ['type', 'channels', 'heads'],
  channels: { in: 'channels', out: 'channels' },
  parameters: ({ channels, norm, projections }) => [
    ...(norm === null ? [] : affine('norm' as const, [channels])),
    ...(projections === 'joined'
      ? [
          ...affine('qkv' as const, [3 * channels, channels, 1]),
          ...affine('proj' as const, [channels, channels, 1]),
        ]
      : [...APART, 'proj' as const].flatMap((part) => affine(part, [channels, channels]))),
  ],
  lower,
  norms: ({ norm }) => (norm === null ? [] : [{ field: 'channels', norm }]),
  heads: ({ heads, channels }) => ({ heads, channels }),
  faults: ({ order, projections }) =>
    projections === 'joined' || order === 'qkv_first'
      ? []
      : [
          {
            code: 'G028',
            field: 'order',
            message: 'q, k and v that are apart have no order "heads_first"; write "qkv_first"',
          },
        ],
  inert: ({ divisor }) => divisor === 1,
  facts: {
    heads: { changes: 'meaning', rule: 'heads' },
    norm: normFact,
    order: { changes: 'meaning' },
    projections: { changes: 'shapes' },
    divisor: divisorFact,
  },
  role: () => 'attn',
  label: ({ heads }) => `attn × ${heads}`,
  read(shapeOf) {
    const joined = shapeOf('qkv', 'weight');
    // one that is missing is told as missing
    const apart = shapeOf('q', 'weight') ?? shapeOf('k', 'weight') ?? shapeOf('v', 'weight');
    const channels = (joined ?? apart)?.[1] ?? 0;
    const norm = shapeOf('norm', 'weight') === undefined ? { norm: null } : {};
    if (joined) return { type: 'attention', channels, ...norm };
    return apart
      ? { type: 'attention', channels, ...norm, order: 'qkv_first', projections: 'separate' }
      : null;
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
  let h = layer.norm === null ? flat : at.norm('norm', flat, layer.norm);
  h = layer.projections === 'joined' ? at.convolution('qkv', h) : at.positionwise(APART, h, at.path('qkv'));
  h = b.add('attention', [h], { heads: layer.heads, order: layer.order }, at.path('attention'));
  h =
    layer.projections === 'joined'
      ? at.convolution('proj', h)
      : at.positionwise(['proj'], h, at.path('proj'));
  h = divided(b, b.add('add', [flat, h], {}, at.path()), layer, at.path());
  return b.add('reshape', [h], { shape }, at.path());
}
