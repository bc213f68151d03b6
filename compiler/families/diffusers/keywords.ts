// The keywords of `unet_2d`: the fields of a UNet2DModel's config.json, with its names and defaults. Values that no graph can
// express are refused by name, with what they would do.

import { z } from 'zod';
import { dropout, in_channels, num_classes, out_channels } from '../../format/common.ts';
import { flag, integer, LIMITS, strict } from '../../format/fields.ts';
import { familyFile } from '../family.ts';
import { BLOCKS, known, REFUSED, unsaid } from './words.ts';

const positive = 'a number above 0';
const side = `an integer from 1 to ${LIMITS.size}, [height, width], or null`;
const epsilon = 'a number above 0 and at most 1';
const lists = `a list of 1 to ${LIMITS.levels}`;
/** A level's width: two are joined by a skip, and the time embedding has four times the first. */
const WIDEST = LIMITS.channels / 4;
const width = integer(1, WIDEST);

/** The blocks of the levels in the order of one way. */
function blocks(way: 'down' | 'up', usual: readonly string[]) {
  const expected = `${lists} block types`;
  return z
    .array(known(Object.keys(BLOCKS[way]), REFUSED.block), expected)
    .min(1, expected)
    .max(LIMITS.levels, expected)
    .default([...usual]);
}

/** How an attention block leads to the next level. */
function resampling(way: 'Halve' | 'Double') {
  return known(['conv', 'resnet'], REFUSED.resampling)
    .nullable()
    .default('conv')
    .describe(
      `${way} the size behind an attention block with a convolution, or in a residual block; null: conv.`,
    );
}

/** What save_pretrained writes beside the fields of a model; nothing depends on it. */
const written = {
  _class_name: z
    .literal('UNet2DModel', '"UNet2DModel", the one class whose fields these are')
    .optional()
    .describe('The class that the fields are of.'),
  _diffusers_version: z.string('a string').optional().describe('It has no effect.'),
  _name_or_path: z.string('a string').nullable().optional().describe('It has no effect.'),
  _use_default_values: z.array(z.string('a string'), 'a list').optional().describe('It has no effect.'),
};

export const unet2d = strict({
  ...written,
  sample_size: z
    .union([integer(1, LIMITS.size), z.array(integer(1, LIMITS.size), side).length(2, side)], side)
    .nullable()
    .default(null)
    .describe('The size that the model was trained on; image_size decides what is computed.'),
  in_channels: in_channels.default(3),
  out_channels: out_channels.default(3),
  center_input_sample: flag()
    .default(false)
    .describe('Whether images in [0, 1] are given, which the model moves to [-1, 1] first.'),
  time_embedding_type: known(['positional'], REFUSED.time)
    .default('positional')
    .describe('How timesteps are embedded: as sinusoids.'),
  time_embedding_dim: width
    .nullable()
    .default(null)
    .describe('Width of the time embedding; null: four times that of the first level.'),
  freq_shift: z
    .number('a number')
    .gte(-LIMITS.channels, 'a number')
    .lte(LIMITS.channels, 'a number')
    .default(0)
    .describe(
      'The frequencies of the time embedding are 10000^(-i / (h - freq_shift)), h being how many there are.',
    ),
  flip_sin_to_cos: flag()
    .default(true)
    .describe('Whether the cosines come before the sines in the time embedding.'),
  down_block_types: blocks('down', [
    'DownBlock2D',
    'AttnDownBlock2D',
    'AttnDownBlock2D',
    'AttnDownBlock2D',
  ]).describe('The block of each level on the way down, that of the whole image first.'),
  mid_block_type: known(['UNetMidBlock2D'], REFUSED.middle)
    .nullable()
    .default('UNetMidBlock2D')
    .describe('The block in the middle; null: none.'),
  up_block_types: blocks('up', ['AttnUpBlock2D', 'AttnUpBlock2D', 'AttnUpBlock2D', 'UpBlock2D']).describe(
    'The block of each level on the way up, that of the smallest image first.',
  ),
  block_out_channels: z
    .array(width, `${lists} integers from 1 to ${WIDEST}`)
    .min(1, `${lists} integers`)
    .max(LIMITS.levels, `${lists} integers`)
    .default([224, 448, 672, 896])
    .describe('Width of each level, that of the whole image first.'),
  layers_per_block: integer(1, LIMITS.res_blocks)
    .default(2)
    .describe('Residual blocks of a level on the way down; one more on the way up.'),
  mid_block_scale_factor: z
    .number(positive)
    .gt(0, positive)
    .default(1)
    .describe('What sums with residuals are divided by in the middle.'),
  downsample_padding: z
    .union([z.literal(0), z.literal(1)], '0 or 1, with which a halved size is met again on the way up')
    .default(1)
    .describe(
      'Padding of convolutions that halve: 1 on both sides, or with 0 one row and column at the end alone.',
    ),
  downsample_type: resampling('Halve'),
  upsample_type: resampling('Double'),
  dropout,
  act_fn: known(['silu', 'swish', 'mish', 'gelu', 'relu'], REFUSED.activation)
    .default('silu')
    .describe('The activation function of residual blocks.'),
  attention_head_dim: width.nullable().default(8).describe('Channels of an attention head; null: one head.'),
  norm_num_groups: width.default(32).describe('Groups of the norms.'),
  attn_norm_num_groups: width
    .nullable()
    .default(null)
    .describe(
      'Groups of the norm of the attention in the middle; null: as norm_num_groups, or with resnet_time_scale_shift scale_shift no norm.',
    ),
  norm_eps: z
    .number(epsilon)
    .gt(0, epsilon)
    .lte(1, epsilon)
    .default(1e-5)
    .describe('What norms add to the variance.'),
  resnet_time_scale_shift: known(['default', 'scale_shift'], REFUSED.conditioning)
    .default('default')
    .describe('Condition on time by adding to h, or by norm(h)·(1 + scale) + shift.'),
  add_attention: flag().default(true).describe('Whether the block in the middle has attention.'),
  class_embed_type: unsaid(REFUSED.classes)
    .default(null)
    .describe('null: classes, if any, are rows of a table.'),
  num_class_embeds: num_classes,
  num_train_timesteps: integer(1, LIMITS.steps).nullable().default(null).describe('It has no effect.'),
});

/** A graph file with `unet_2d`. */
export const unet2dFile = familyFile(
  'unet_2d',
  unet2d.describe("The fields of the config.json of diffusers' UNet2DModel."),
);

/** The same with its defaults filled in. */
export type Unet2dFile = Readonly<z.output<typeof unet2dFile>>;
export type Unet2d = Unet2dFile['unet_2d'];
