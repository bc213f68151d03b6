// The keywords of `unet`: the keyword arguments of the original UNetModel, with its names and defaults.

import { z } from 'zod';
import { dims, dropout, in_channels, num_classes, out_channels } from '../../format/common.ts';
import { choice, flag, integer, integers, LIMITS, strict } from '../../format/fields.ts';
import { familyFile } from '../family.ts';

export const unet = strict({
  in_channels,
  model_channels: integer(1, LIMITS.model_channels).describe(
    'Width of the first level, a multiple of 32; the width of a level is this times its channel_mult.',
  ),
  out_channels,
  num_res_blocks: integer(1, LIMITS.res_blocks).describe(
    'Residual blocks of a level on the way down; one more on the way up.',
  ),
  attention_resolutions: integers([0, 32], [1, LIMITS.size]).describe(
    'Downsampling factors (not pixels) at which blocks have attention: 4 is where the image is a quarter as wide.',
  ),
  dropout,
  channel_mult: integers([1, LIMITS.levels], [1, LIMITS.channel_mult])
    .default([1, 2, 4, 8])
    .describe('Channel multiplier of each level; there is one downsampling less than levels.'),
  conv_resample: flag()
    .default(true)
    .describe('Resample with learned convolutions; false: average pooling and plain nearest.'),
  dims,
  num_classes,
  use_checkpoint: flag()
    .default(false)
    .describe(
      'Gradient checkpointing in training: residual and attention blocks are computed again in the backward pass.',
    ),
  num_heads: integer(1, LIMITS.channels)
    .default(1)
    .describe('Attention heads on the way down and in the middle.'),
  num_heads_upsample: z
    .union([z.literal(-1), integer(1, LIMITS.channels)], `-1 or an integer from 1 to ${LIMITS.channels}`)
    .default(-1)
    .describe('Attention heads on the way up; -1: as num_heads.'),
  use_scale_shift_norm: flag()
    .default(false)
    .describe('Condition on time by FiLM, norm(h)·(1 + scale) + shift; false: by adding to h.'),
  upsample: choice(['nearest', 'conv_transpose'])
    .default('nearest')
    .describe(
      'nearest: repeat, then convolve if conv_resample. conv_transpose: learned, kernel 4, stride 2, padding 1.',
    ),
});

/** A graph file with `unet`. */
export const unetFile = familyFile('unet', unet.describe('The keyword arguments of the original UNetModel.'));

/** The same with its defaults filled in. */
export type UnetFile = Readonly<z.output<typeof unetFile>>;

/** Values for required keywords that are at fault. */
export const STAND_INS = {
  in_channels: 3,
  model_channels: 32,
  out_channels: 3,
  num_res_blocks: 1,
  attention_resolutions: [],
} as const;

/** The keywords that decide what a model is made of. */
export const UNET_SHAPES = {
  blocks: ['num_res_blocks', 'channel_mult', 'attention_resolutions'],
  widths: [
    'model_channels',
    'channel_mult',
    'use_scale_shift_norm',
    'upsample',
    'conv_resample',
    'dims',
    'num_res_blocks',
  ],
  levels: ['channel_mult'],
  time_embed: ['model_channels'],
  label_emb: ['num_classes'],
  out: ['out_channels', 'model_channels'],
} as const;
