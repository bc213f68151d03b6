// The blocks that the keywords make: the constructor of the original UNetModel (improved_diffusion/unet.py), with the
// actual width of the last level as the head's, so that a first channel multiplier other than 1 works.

import type { WrittenLayer } from '../../layers/index.ts';
import { DEFAULT_NORM } from '../../layers/norm.ts';
import { usualTimeEmbed } from '../../layers/time_embed.ts';
import { entryChannels } from '../blocks.ts';
import type { Draft } from '../draft.ts';
import { attendedMiddle, type Levels, levelBlocks } from '../levels.ts';
import type { UnetFile } from './keywords.ts';

type Unet = UnetFile['unet'];

/** The model of `file.unet`: its blocks level by level down, the middle, and back up. */
export function draftUnet(file: UnetFile): Draft {
  const { unet } = file;
  const { dims, in_channels, out_channels, num_classes, num_res_blocks } = unet;
  const layers: Pick<Levels, 'resBlock' | 'attention'> = {
    resBlock: (from, to) => resBlock(unet, from, to),
    attention: (channels, way) => attention(channels, way === 'up' ? upHeads(unet) : unet.num_heads),
  };
  return {
    dims,
    in_channels,
    out_channels,
    num_classes,
    use_checkpoint: unet.use_checkpoint,
    blocks: levelBlocks({
      entry: entryChannels({ ...unet, ...file }),
      first: unet.model_channels,
      widths: unet.channel_mult.map((mult) => mult * unet.model_channels),
      num_res_blocks,
      attends: (level) => unet.attention_resolutions.includes(2 ** level),
      ...layers,
      middle: (channels) => attendedMiddle(layers, channels),
      down: (channels) => downsample(unet, channels),
      up: (channels) => upsample(unet, channels),
    }),
    time_embed: usualTimeEmbed(unet.model_channels),
    head: { norm: DEFAULT_NORM },
    naming: 'improved-diffusion',
    pointer: (place, field) => {
      if (place === null) return `/unet/${field}`;
      if (field !== 'heads') return '/unet/model_channels';
      return place.block.role === 'output' && unet.num_heads_upsample > 0
        ? '/unet/num_heads_upsample'
        : '/unet/num_heads';
    },
  };
}

/** A residual block as the keywords have it. */
export function resBlock(
  unet: Pick<Unet, 'use_scale_shift_norm' | 'dropout'>,
  in_channels: number,
  out_channels: number,
): WrittenLayer & { readonly type: 'res_block' } {
  const conditioning = unet.use_scale_shift_norm ? 'film' : 'additive';
  return { type: 'res_block', in_channels, out_channels, conditioning, dropout: unet.dropout };
}

function attention(channels: number, heads: number): WrittenLayer {
  return { type: 'attention', channels, heads };
}

/** The heads of attentions on the way up. */
export function upHeads(unet: Pick<Unet, 'num_heads' | 'num_heads_upsample'>): number {
  return unet.num_heads_upsample === -1 ? unet.num_heads : unet.num_heads_upsample;
}

/** What halves the size between levels. */
export function downsample(unet: Pick<Unet, 'conv_resample'>, channels: number): WrittenLayer {
  return { type: 'downsample', channels, method: unet.conv_resample ? 'conv' : 'avg_pool' };
}

/** What doubles it. */
export function upsample(unet: Pick<Unet, 'upsample' | 'conv_resample'>, channels: number): WrittenLayer {
  const nearest = unet.conv_resample ? 'nearest_conv' : 'nearest';
  return {
    type: 'upsample',
    channels,
    method: unet.upsample === 'conv_transpose' ? 'conv_transpose' : nearest,
  };
}
