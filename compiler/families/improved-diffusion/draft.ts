// The blocks that the keywords make: the constructor of the original UNetModel (improved_diffusion/unet.py), with the
// actual width of the last level as the head's, so that a first channel multiplier other than 1 works.

import { last } from '../../diagnostics.ts';
import type { WrittenLayer } from '../../layers/index.ts';
import { DEFAULT_NORM } from '../../layers/norm.ts';
import { newLayer } from '../../layers/queries.ts';
import { type DraftBlock, entryChannels } from '../blocks.ts';
import type { Draft } from '../draft.ts';
import type { UnetFile } from './keywords.ts';

type Unet = UnetFile['unet'];

/** The model of `file.unet`: its blocks level by level down, the middle, and back up. */
export function draftUnet(file: UnetFile): Draft {
  const { unet } = file;
  const input: WrittenLayer[][] = [];
  const output: WrittenLayer[][] = [];
  /** Widths of the pushed outputs that are not yet popped. */
  const skips: number[] = [];
  let channels = unet.model_channels;
  let ds = 1;

  const push = (layers: WrittenLayer[]): void => {
    input.push(layers);
    skips.push(channels);
  };

  push([
    { type: 'conv', in_channels: entryChannels({ ...unet, ...file }), out_channels: channels, kernel: 3 },
  ]);
  for (const [level, mult] of unet.channel_mult.entries()) {
    for (let i = 0; i < unet.num_res_blocks; i++) {
      const layers: WrittenLayer[] = [resBlock(unet, channels, mult * unet.model_channels)];
      channels = mult * unet.model_channels;
      if (unet.attention_resolutions.includes(ds)) layers.push(attention(channels, unet.num_heads));
      push(layers);
    }
    if (level < unet.channel_mult.length - 1) {
      push([{ type: 'downsample', channels, method: unet.conv_resample ? 'conv' : 'avg_pool' }]);
      ds *= 2;
    }
  }

  const middle = [
    resBlock(unet, channels, channels),
    attention(channels, unet.num_heads),
    resBlock(unet, channels, channels),
  ];

  for (const [level, mult] of [...unet.channel_mult.entries()].reverse()) {
    for (let i = 0; i <= unet.num_res_blocks; i++) {
      const skip = last(skips);
      skips.pop();
      const layers: WrittenLayer[] = [resBlock(unet, channels + skip, mult * unet.model_channels)];
      channels = mult * unet.model_channels;
      if (unet.attention_resolutions.includes(ds)) layers.push(attention(channels, upHeads(unet)));
      if (level > 0 && i === unet.num_res_blocks) {
        layers.push(upsample(unet, channels));
        ds /= 2;
      }
      output.push(layers);
    }
  }

  const { dims, in_channels, out_channels, num_classes } = unet;
  return {
    dims,
    in_channels,
    out_channels,
    num_classes,
    blocks: [...blocksOf('input', input), ...blocksOf('middle', [middle]), ...blocksOf('output', output)],
    time_embed: { channels: unet.model_channels, hidden: 4 * unet.model_channels },
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

function blocksOf(role: DraftBlock['role'], blocks: readonly WrittenLayer[][]): readonly DraftBlock[] {
  return blocks.map((layers, index) => ({ role, index, layers: layers.map(newLayer) }));
}

function resBlock(unet: Unet, in_channels: number, out_channels: number): WrittenLayer {
  const conditioning = unet.use_scale_shift_norm ? 'film' : 'additive';
  return { type: 'res_block', in_channels, out_channels, conditioning, dropout: unet.dropout };
}

function attention(channels: number, heads: number): WrittenLayer {
  return { type: 'attention', channels, heads };
}

function upHeads(unet: Unet): number {
  return unet.num_heads_upsample === -1 ? unet.num_heads : unet.num_heads_upsample;
}

function upsample(unet: Unet, channels: number): WrittenLayer {
  const plain = unet.conv_resample ? 'nearest_conv' : 'nearest';
  return { type: 'upsample', channels, method: unet.upsample === 'conv_transpose' ? unet.upsample : plain };
}
