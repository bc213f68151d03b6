// The keyword arguments of the original UNetModel that blocks were built with, level by level.

import { levelsDown } from '../../layers/queries.ts';
import type { UnetFile } from './keywords.ts';
import type { ReadModel } from './read-blocks.ts';

/** The keyword arguments that shapes tell. Of a model that no arguments make, they are those of a similar one. */
export type ToldUnet = Pick<
  UnetFile['unet'],
  | 'model_channels'
  | 'num_res_blocks'
  | 'attention_resolutions'
  | 'channel_mult'
  | 'conv_resample'
  | 'dims'
  | 'num_classes'
  | 'use_scale_shift_norm'
  | 'upsample'
>;

/** Reads the levels off the way down: each ends with a downsampling. */
export function fitKeywords({ dims, time_embed, num_classes, blocks }: ReadModel): ToldUnet {
  const levels: { widths: number[]; attention: boolean }[] = [{ widths: [], attention: false }];
  for (const layers of blocks.input.slice(1)) {
    if (levelsDown(layers) > 0) levels.push({ widths: [], attention: false });
    const level = levels.at(-1)!;
    for (const layer of layers) {
      if (layer.type === 'res_block' && layer.resample === 'none') level.widths.push(layer.out_channels);
      if (layer.type === 'attention') level.attention = true;
    }
  }
  const layers = [...blocks.input, blocks.middle, ...blocks.output].flat();
  const film = layers.some((layer) => layer.type === 'res_block' && layer.conditioning === 'film');
  const pooled = layers.some((layer) => layer.type === 'downsample' && layer.method === 'avg_pool');
  const transposed = layers.some((layer) => layer.type === 'upsample' && layer.method === 'conv_transpose');
  return {
    model_channels: time_embed.channels,
    num_res_blocks: levels[0]!.widths.length,
    attention_resolutions: levels.flatMap(({ attention }, level) => (attention ? [2 ** level] : [])),
    channel_mult: levels.map(({ widths }) => (widths.at(-1) ?? 0) / time_embed.channels),
    conv_resample: !pooled,
    dims,
    num_classes,
    use_scale_shift_norm: film,
    upsample: transposed ? 'conv_transpose' : 'nearest',
  };
}
