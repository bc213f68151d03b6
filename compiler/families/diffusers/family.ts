// The family of diffusers' UNet2DModel (github.com/huggingface/diffusers, unet_2d.py): graph files with `unet_2d`.

import type { Family } from '../family.ts';
import { draftUnet2d } from './draft.ts';
import { type Unet2dFile, unet2d, unet2dFile } from './keywords.ts';
import { KNOWN_UNET_2D } from './published.ts';
import { readCheckpoint } from './read.ts';
import { checkUnet2d } from './rules.ts';

export type { Unet2dFile };

export const diffusers = {
  title: "diffusers' UNet2DModel",
  keywords: unet2d.shape,
  file: unet2dFile,
  standIns: {},
  naming: 'diffusers',
  draft: draftUnet2d,
  rules: (file) => checkUnet2d(file, draftUnet2d(file)),
  decides: {
    heads: ['attention_head_dim', 'block_out_channels'],
    padding: ['downsample_padding'],
    method: ['downsample_type', 'upsample_type', 'down_block_types', 'up_block_types'],
    resample: ['downsample_type', 'upsample_type', 'down_block_types', 'up_block_types'],
    conditioning: ['resnet_time_scale_shift'],
    norm: ['norm_eps', 'norm_num_groups', 'attn_norm_num_groups', 'resnet_time_scale_shift'],
    activation: ['act_fn'],
    divisor: ['mid_block_scale_factor'],
    order: ['flip_sin_to_cos'],
    shift: ['freq_shift'],
    skip: ['block_out_channels'],
    dropout: ['dropout'],
  },
  shapes: {
    blocks: [
      'layers_per_block',
      'down_block_types',
      'up_block_types',
      'block_out_channels',
      'mid_block_type',
      'add_attention',
      'downsample_type',
      'upsample_type',
    ],
    widths: [
      'block_out_channels',
      'resnet_time_scale_shift',
      'down_block_types',
      'up_block_types',
      'downsample_type',
      'upsample_type',
      'attn_norm_num_groups',
      'time_embedding_dim',
      'layers_per_block',
    ],
    levels: ['block_out_channels'],
    time_embed: ['block_out_channels', 'time_embedding_dim'],
    label_emb: ['num_class_embeds'],
    out: ['out_channels', 'block_out_channels'],
  },
  untold: [
    'center_input_sample',
    'freq_shift',
    'flip_sin_to_cos',
    'mid_block_scale_factor',
    'downsample_padding',
    'dropout',
    'act_fn',
    'attention_head_dim',
    'norm_num_groups',
    'attn_norm_num_groups',
    'norm_eps',
  ],
  read: readCheckpoint,
  published: KNOWN_UNET_2D,
} as const satisfies Family<Unet2dFile>;
