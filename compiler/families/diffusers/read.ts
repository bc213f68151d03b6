// Reads a checkpoint as a UNet2DModel of diffusers: the fields that its tensors tell, level by level.

import { FORMAT_VERSION } from '../../format/common.ts';
import type { Layer } from '../../layers/index.ts';
import type { Candidate, JsonObject, Reading, Unread } from '../family.ts';
import { likelySize } from '../improved-diffusion/read.ts';
import type { Tensors } from '../tensors.ts';
import { withoutPrefix } from '../tensors.ts';
import { knownUnet2d, type ToldUnet2d } from './published.ts';
import { type LevelTensors, type ModelTensors, readLevels } from './read-levels.ts';
import { guessesOf } from './undetermined.ts';

/** What no UNet2DModel is without. */
const ANCHORS = ['time_embedding.linear_1.weight', 'conv_in.weight', 'conv_out.weight'] as const;

/** Tensors that tell of what no graph can express, and what that is. */
const BEYOND: readonly (readonly [name: RegExp, what: string])[] = [
  [/\.transformer_blocks\.\d+\./, 'it attends to a prompt, as the UNet of Stable Diffusion does'],
  [/^time_proj\.weight$/, 'its time embedding has weights: fourier or learned, which no graph can express'],
  [/^class_embedding\.linear_/, 'it embeds labels as timesteps, which no graph can express'],
  [/\.skip_(conv|norm)\./, 'it has Skip blocks, which no graph can express'],
  [/\.(temp_convs|temp_attentions|motion_modules)\./, 'it computes videos, which no graph can express'],
];

/** The graph that the tensors may be of, with what no shape tells guessed; or why they are of none. */
export function readCheckpoint(tensors: Tensors, name: string): Reading | Unread {
  const bare = withoutPrefix(tensors, ANCHORS[0]);
  const missing = ANCHORS.filter((anchor) => !bare.all.has(anchor));
  if (missing.length > 0) {
    const fault = `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing, which every UNet2DModel of diffusers has`;
    return { fault, foreign: missing.length === ANCHORS.length };
  }
  const beyond = (what: string): Unread => ({
    fault: `this is a UNet of diffusers, but ${what}`,
    foreign: false,
  });
  for (const [pattern, what] of BEYOND) {
    const found = [...bare.all.keys()].find((one) => pattern.test(one));
    if (found !== undefined) return beyond(`${what} (${found})`);
  }
  const levels = readLevels(bare.all);
  if (typeof levels === 'string') return beyond(levels);
  return { tensors: bare, candidates: [asFields(levels, bare.all, name)] };
}

function asFields(model: ModelTensors, tensors: Tensors, name: string): Candidate {
  const told = toldBy(model, tensors);
  const known = knownUnet2d(told);
  const depth = told.block_out_channels.length - 1;
  const { fields, undetermined } = guessesOf(model, told, known);
  const spec: JsonObject = {
    version: FORMAT_VERSION,
    name: known?.name ?? name,
    image_size: known?.image_size ?? likelySize(depth),
    unet_2d: { ...told, ...fields },
    ...(known && { diffusion: known.diffusion }),
  };
  return { spec, undetermined };
}

function toldBy({ down, middle, up }: ModelTensors, tensors: Tensors): ToldUnet2d {
  const sizeOf = (tensor: string, axis: number) => tensors.get(tensor)?.[axis] ?? 0;
  const widths = down.map(({ width }) => width);
  const hidden = sizeOf(ANCHORS[0], 0);
  const layers = [...down, ...up].flatMap(({ resnets }) => resnets);
  const isFilm = (layer: Layer) => layer.type === 'res_block' && layer.conditioning === 'film';
  return {
    in_channels: sizeOf(ANCHORS[1], 1),
    out_channels: sizeOf(ANCHORS[2], 0),
    time_embedding_dim: hidden === 4 * (widths[0] ?? 0) ? null : hidden,
    down_block_types: down.map((level) => blockType(level, 'down')),
    mid_block_type: middle.resnets.length === 0 ? null : 'UNetMidBlock2D',
    up_block_types: up.map((level) => blockType(level, 'up')),
    block_out_channels: widths,
    layers_per_block: down[0]?.resnets.length ?? 0,
    downsample_type: resamplingOf(down),
    upsample_type: resamplingOf(up),
    resnet_time_scale_shift: layers.some(isFilm) ? 'scale_shift' : 'default',
    add_attention: middle.attention !== null || middle.resnets.length === 0,
    num_class_embeds: tensors.get('class_embedding.weight')?.[0] ?? null,
  };
}

function blockType({ attention, resampling }: LevelTensors, way: 'down' | 'up'): string {
  if (attention !== null) return way === 'down' ? 'AttnDownBlock2D' : 'AttnUpBlock2D';
  if (resampling !== 'resnet') return way === 'down' ? 'DownBlock2D' : 'UpBlock2D';
  return way === 'down' ? 'ResnetDownsampleBlock2D' : 'ResnetUpsampleBlock2D';
}

/** How levels with attention lead to the next. */
function resamplingOf(levels: readonly LevelTensors[]): 'conv' | 'resnet' {
  return levels.some(({ attention, resampling }) => attention !== null && resampling === 'resnet')
    ? 'resnet'
    : 'conv';
}
