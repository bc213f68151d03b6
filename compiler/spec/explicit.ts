// The explicit form: every TimeEmbedSeq block with its layers typed and their channels written out.

import { z } from 'zod';
import { dims, dropout, head, in_channels, num_classes, out_channels, tail } from './common.ts';
import { choice, integer, LIMITS, list, oneOf, strict } from './fields.ts';

const channels = integer(1, LIMITS.channels);

const conv = strict({
  type: z.literal('conv'),
  in_channels: channels.describe('Channels that arrive.'),
  out_channels: channels.describe('Channels that leave.'),
  kernel: z
    .union([z.literal(1), z.literal(3)], '1 or 3')
    .default(3)
    .describe('Kernel size in every dimension.'),
}).describe('A convolution that keeps the size.');

const resBlock = strict({
  type: z.literal('res_block'),
  in_channels: channels.describe('Channels that arrive; in an output block the skip connection counts.'),
  out_channels: channels.describe('Channels that leave.'),
  conditioning: choice(['film', 'additive'])
    .default('additive')
    .describe('How the time embedding enters: norm(h)·(1 + scale) + shift, or added to h.'),
  dropout,
  skip: choice(['identity', 'conv1x1', 'conv3x3'])
    .optional()
    .describe('The skip path. Default: identity where the channels stay, else conv1x1.'),
}).describe('The residual block; it takes the time embedding.');

const attention = strict({
  type: z.literal('attention'),
  channels: channels.describe('Channels that arrive and leave.'),
  heads: integer(1, LIMITS.channels).default(1).describe('Attention heads; they divide the channels.'),
}).describe('Self-attention over all positions, with a residual.');

const downsample = strict({
  type: z.literal('downsample'),
  channels: channels.describe('Channels that arrive and leave.'),
  method: choice(['conv', 'avg_pool'])
    .default('conv')
    .describe('conv: kernel 3, stride 2, padding 1. avg_pool: mean of two neighbours in each dimension.'),
}).describe('Halves the size (in 3D height and width alone).');

const upsample = strict({
  type: z.literal('upsample'),
  channels: channels.describe('Channels that arrive and leave.'),
  method: choice(['nearest_conv', 'nearest', 'conv_transpose'])
    .default('nearest_conv')
    .describe(
      'Repeat and convolve, repeat alone, or a transposed convolution (kernel 4, stride 2, padding 1).',
    ),
}).describe('Doubles the size (in 3D height and width alone).');

const types = [conv, resBlock, attention, downsample, upsample] as const;

const block = strict({
  layers: list(
    z.discriminatedUnion('type', types, {
      error: (issue) =>
        issue.code === 'invalid_union'
          ? oneOf(types.map((t) => t.shape.type.value))
          : 'a layer: an object with a type',
    }),
    LIMITS.layers,
    'layers',
  ).describe('The layers in order.'),
});

export const explicitFile = strict({
  ...head,
  dims,
  in_channels,
  out_channels,
  num_classes,
  time_embed: strict({
    channels: integer(1, LIMITS.channels).describe('Width of the sinusoidal embedding.'),
    hidden: integer(1, LIMITS.channels).describe(
      'Width of the MLP behind it, which the residual blocks read.',
    ),
  }).describe('The time embedding.'),
  ...tail,
  blocks: strict({
    input: list(block, LIMITS.blocks, 'blocks').describe('The way down; every block pushes its output.'),
    middle: block.describe('The middle block.'),
    output: list(block, LIMITS.blocks, 'blocks').describe(
      'The way up; every block reads its input joined with the output popped.',
    ),
  }).describe(
    'The TimeEmbedSeq blocks. Behind them stands the head: GroupNorm, SiLU, convolution to out_channels.',
  ),
});

/** A file of the explicit form with its defaults filled in (but `skip` and `variance`, which depend on others). */
export type ExplicitFile = z.output<typeof explicitFile>;
export type ExplicitLayer = ExplicitFile['blocks']['middle']['layers'][number];
