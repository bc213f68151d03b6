// The blocks that the keywords make: the constructor of guided-diffusion's UNetModel (guided_diffusion/unet.py).

import type { WrittenLayer } from '../../layers/index.ts';
import { DEFAULT_NORM } from '../../layers/norm.ts';
import { usualTimeEmbed } from '../../layers/time_embed.ts';
import { entryChannels } from '../blocks.ts';
import type { Draft, DraftLayer } from '../draft.ts';
import { downsample, resBlock, upHeads, upsample } from '../improved-diffusion/draft.ts';
import { attendedMiddle, type Levels, levelBlocks } from '../levels.ts';
import type { AdmFile } from './keywords.ts';

type Adm = AdmFile['adm'];

/** The model of `file.adm`: its blocks level by level down, the middle, and back up. */
export function draftAdm(file: AdmFile): Draft {
  const { adm } = file;
  const { dims, in_channels, out_channels, num_classes, num_res_blocks } = adm;
  const layers: Pick<Levels, 'resBlock' | 'attention'> = {
    resBlock: (from, to) => resBlock(adm, from, to),
    attention: (channels, way) => attention(adm, channels, way),
  };
  const widths = adm.channel_mult.map((mult) => widthOf(adm, mult));
  return {
    dims,
    in_channels,
    out_channels,
    num_classes,
    use_checkpoint: adm.use_checkpoint,
    blocks: levelBlocks({
      entry: entryChannels({ ...adm, ...file }),
      first: widths[0]!,
      widths,
      num_res_blocks,
      attends: (level) => adm.attention_resolutions.includes(2 ** level),
      ...layers,
      middle: (channels) => attendedMiddle(layers, channels),
      down: (channels) => resampling(adm, channels, 'down'),
      up: (channels) => resampling(adm, channels, 'up'),
    }),
    time_embed: usualTimeEmbed(adm.model_channels),
    head: { norm: DEFAULT_NORM },
    naming: 'improved-diffusion',
    pointer: (place, field) => `/adm/${place === null ? field : keywordOf(adm, place.block.role, field)}`,
  };
}

/** Channels of a level, a fraction of one cut off. A level always has some, so that rules can speak of it. */
function widthOf({ model_channels }: Adm, mult: number): number {
  return Math.max(1, Math.trunc(mult * model_channels));
}

function attention(adm: Adm, channels: number, way: 'down' | 'up'): WrittenLayer {
  return {
    type: 'attention',
    channels,
    heads: headsOf(adm, channels, way),
    order: adm.use_new_attention_order ? 'qkv_first' : 'heads_first',
  };
}

/** Heads by their width where that is said; a width that does not divide the channels is a fault of its own (rules.ts). */
function headsOf(adm: Adm, channels: number, way: 'down' | 'up'): number {
  const { num_head_channels } = adm;
  if (num_head_channels !== -1) return channels % num_head_channels === 0 ? channels / num_head_channels : 1;
  return way === 'up' ? upHeads(adm) : adm.num_heads;
}

function resampling(adm: Adm, channels: number, way: 'down' | 'up'): WrittenLayer {
  if (adm.resblock_updown) return { ...resBlock(adm, channels, channels), resample: way };
  return way === 'down' ? downsample(adm, channels) : upsample(adm, channels);
}

/** The keyword that decides a field of a layer in a block of a role. */
function keywordOf(adm: Adm, role: DraftLayer['block']['role'], field: string): string {
  if (field === 'heads') {
    if (adm.num_head_channels !== -1) return 'num_head_channels';
    return role === 'output' && adm.num_heads_upsample > 0 ? 'num_heads_upsample' : 'num_heads';
  }
  // a width of 32 or a multiple of it fails only where it is multiplied by a fraction
  return adm.model_channels % 32 === 0 ? 'channel_mult' : 'model_channels';
}
