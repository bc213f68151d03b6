// The compact form's blocks: the constructor of the original UNetModel (improved_diffusion/unet.py), with the
// actual width of the last level as the head's, so that a first channel multiplier other than 1 works.

import type { Spec } from '../spec/spec.ts';
import type { Draft, DraftBlock } from './draft.ts';
import type { AttentionLayer, Layer, ResBlockLayer, UpsampleLayer } from './graph.ts';
import { entryChannels, last } from './layers.ts';

type CompactSpec = Extract<Spec, { form: 'compact' }>;
type Unet = CompactSpec['unet'];

/** Blocks of `spec.unet`, level by level down, the middle, and back up. */
export function draftUnet(spec: CompactSpec): Draft {
  const unet = spec.unet;
  const input: Layer[][] = [];
  const output: Layer[][] = [];
  /** Widths of the pushed outputs that are not yet popped. */
  const skips: number[] = [];
  let channels = unet.model_channels;
  let ds = 1;

  const push = (layers: Layer[]): void => {
    input.push(layers);
    skips.push(channels);
  };

  push([
    { type: 'conv', in_channels: entryChannels({ ...unet, ...spec }), out_channels: channels, kernel: 3 },
  ]);
  for (const [level, mult] of unet.channel_mult.entries()) {
    for (let i = 0; i < unet.num_res_blocks; i++) {
      const layers: Layer[] = [resBlock(unet, channels, mult * unet.model_channels)];
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
      const layers: Layer[] = [resBlock(unet, channels + skip, mult * unet.model_channels)];
      channels = mult * unet.model_channels;
      if (unet.attention_resolutions.includes(ds)) layers.push(attention(channels, upHeads(unet)));
      if (level > 0 && i === unet.num_res_blocks) {
        layers.push({ type: 'upsample', channels, method: upsampleMethod(unet) });
        ds /= 2;
      }
      output.push(layers);
    }
  }

  return {
    blocks: [...blocksOf('input', input), ...blocksOf('middle', [middle]), ...blocksOf('output', output)],
    time_embed: { channels: unet.model_channels, hidden: 4 * unet.model_channels },
    pointer: ({ block }, field) => {
      if (field !== 'heads') return '/unet/model_channels';
      return block.role === 'output' && unet.num_heads_upsample > 0
        ? '/unet/num_heads_upsample'
        : '/unet/num_heads';
    },
  };
}

function blocksOf(role: DraftBlock['role'], blocks: readonly Layer[][]): readonly DraftBlock[] {
  return blocks.map((layers, index) => ({ role, index, layers }));
}

function resBlock(unet: Unet, in_channels: number, out_channels: number): ResBlockLayer {
  return {
    type: 'res_block',
    in_channels,
    out_channels,
    conditioning: unet.use_scale_shift_norm ? 'film' : 'additive',
    dropout: unet.dropout,
    skip: in_channels === out_channels ? 'identity' : 'conv1x1',
  };
}

function attention(channels: number, heads: number): AttentionLayer {
  return { type: 'attention', channels, heads };
}

function upHeads(unet: Unet): number {
  return unet.num_heads_upsample === -1 ? unet.num_heads : unet.num_heads_upsample;
}

function upsampleMethod(unet: Unet): UpsampleLayer['method'] {
  if (unet.upsample === 'conv_transpose') return 'conv_transpose';
  return unet.conv_resample ? 'nearest_conv' : 'nearest';
}
