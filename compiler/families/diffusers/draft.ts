// The blocks that the fields make: the constructor of diffusers' UNet2DModel (unet_2d.py, unet_2d_blocks.py).

import type { WrittenLayer } from '../../layers/index.ts';
import type { Norm } from '../../layers/norm.ts';
import type { Activation } from '../../ops/activations.ts';
import { type DraftPlace, entryChannels } from '../blocks.ts';
import type { Draft } from '../draft.ts';
import { levelBlocks } from '../levels.ts';
import type { Unet2d, Unet2dFile } from './keywords.ts';
import { BLOCKS, type BlockKind } from './words.ts';

/** The model of `file.unet_2d`: its blocks level by level down, the middle, and back up. */
export function draftUnet2d(file: Unet2dFile): Draft {
  const { unet_2d } = file;
  const { in_channels, out_channels, block_out_channels: widths } = unet_2d;
  const [first] = widths as [number];
  return {
    dims: 2,
    in_channels,
    out_channels,
    num_classes: unet_2d.num_class_embeds,
    time_embed: {
      channels: first,
      hidden: unet_2d.time_embedding_dim ?? 4 * first,
      order: unet_2d.flip_sin_to_cos ? 'cos_sin' : 'sin_cos',
      shift: unet_2d.freq_shift,
    },
    blocks: levelBlocks({
      entry: entryChannels({ ...unet_2d, ...file }),
      first,
      widths,
      num_res_blocks: unet_2d.layers_per_block,
      attends: (level, way) => kindOf(unet_2d, level, way).attends,
      resBlock: (from, to) => resBlock(unet_2d, from, to),
      attention: (channels) => attention(unet_2d, channels, normOf(unet_2d)),
      middle: (channels) => middle(unet_2d, channels),
      down: (channels, level) => resampling(unet_2d, channels, level, 'down'),
      up: (channels, level) => resampling(unet_2d, channels, level, 'up'),
    }),
    head: { norm: normOf(unet_2d) },
    center_input: unet_2d.center_input_sample,
    naming: 'diffusers',
    pointer: (place, field) => `/unet_2d/${keywordOf(place, field)}`,
  };
}

/** The block of a level; one that is not said is a fault of its own (rules.ts). */
function kindOf(
  { down_block_types, up_block_types, block_out_channels }: Unet2d,
  level: number,
  way: 'down' | 'up',
): BlockKind {
  const name =
    way === 'down' ? down_block_types[level] : up_block_types[block_out_channels.length - 1 - level];
  return BLOCKS[way][name ?? ''] ?? { attends: false, resampling: 'conv' };
}

function normOf({ norm_num_groups, norm_eps }: Unet2d): Norm {
  return { groups: norm_num_groups, eps: norm_eps };
}

/** A residual block as the fields have it. */
function resBlock(
  unet: Unet2d,
  in_channels: number,
  out_channels: number,
): WrittenLayer & { readonly type: 'res_block' } {
  return {
    type: 'res_block',
    in_channels,
    out_channels,
    conditioning: unet.resnet_time_scale_shift === 'scale_shift' ? 'film' : 'additive',
    dropout: unet.dropout,
    norm: normOf(unet),
    activation: activationOf(unet),
  };
}

/** diffusers calls SiLU by two names. */
function activationOf({ act_fn }: Unet2d): Activation {
  return act_fn === 'swish' ? 'silu' : (act_fn as Activation);
}

function attention(
  { attention_head_dim }: Unet2d,
  channels: number,
  norm: Norm | null,
): WrittenLayer & { readonly type: 'attention' } {
  // a width that does not divide is a fault of its own (rules.ts)
  const heads = attention_head_dim === null ? 1 : channels / attention_head_dim;
  return {
    type: 'attention',
    channels,
    heads: Number.isInteger(heads) ? heads : 1,
    norm,
    order: 'qkv_first',
    projections: 'separate',
  };
}

/** The block in the middle, whose attention does without a norm where FiLM would have to condition it. */
function middle(unet: Unet2d, channels: number): readonly WrittenLayer[] {
  if (unet.mid_block_type === null) return [{ type: 'identity', channels }];
  const divisor = unet.mid_block_scale_factor;
  const block: WrittenLayer = { ...resBlock(unet, channels, channels), divisor };
  if (!unet.add_attention) return [block, block];
  const unsaid = unet.resnet_time_scale_shift === 'default' ? unet.norm_num_groups : null;
  const groups = unet.attn_norm_num_groups ?? unsaid;
  const norm = groups === null ? null : { groups, eps: unet.norm_eps };
  return [block, { ...attention(unet, channels, norm), divisor }, block];
}

function resampling(unet: Unet2d, channels: number, level: number, way: 'down' | 'up'): WrittenLayer {
  const { resampling } = kindOf(unet, level, way);
  const said = (way === 'down' ? unet.downsample_type : unet.upsample_type) ?? 'conv';
  if ((resampling === 'said' ? said : resampling) === 'resnet') {
    return { ...resBlock(unet, channels, channels), resample: way };
  }
  if (way === 'up') return { type: 'upsample', channels, method: 'nearest_conv' };
  const padding = unet.downsample_padding === 0 ? 'end' : 'both';
  return { type: 'downsample', channels, method: 'conv', padding };
}

/** The field that decides an option of a layer, or one of the model. */
function keywordOf(place: DraftPlace | null, field: string): string {
  if (field === 'time_embed/shift') return 'freq_shift';
  if (place === null) return field;
  return field === 'heads' ? 'attention_head_dim' : 'block_out_channels';
}
