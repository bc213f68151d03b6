// The keywords of `adm`: the keyword arguments of guided-diffusion's UNetModel, with its names and defaults. They are those
// of improved-diffusion's and a few more.

import { z } from 'zod';
import { flag, integer, LIMITS, strict } from '../../format/fields.ts';
import { familyFile } from '../family.ts';
import { UNET_SHAPES, unet } from '../improved-diffusion/keywords.ts';

const multiplier = `a number above 0 and at most ${LIMITS.channel_mult}`;
const multipliers = `a list of 1 to ${LIMITS.levels} numbers above 0 and at most ${LIMITS.channel_mult}`;

export const adm = strict({
  ...unet.shape,
  channel_mult: z
    .array(z.number(multiplier).gt(0, multiplier).lte(LIMITS.channel_mult, multiplier), multipliers)
    .min(1, multipliers)
    .max(LIMITS.levels, multipliers)
    .default([1, 2, 4, 8])
    .describe(
      'Channel multiplier of each level, fractions included; the first is also that of the first convolution and the head.',
    ),
  num_head_channels: z
    .union([z.literal(-1), integer(1, LIMITS.channels)], `-1 or an integer from 1 to ${LIMITS.channels}`)
    .default(-1)
    .describe('Channels of an attention head, whatever num_heads says; -1: heads by number.'),
  resblock_updown: flag()
    .default(false)
    .describe('Halve and double the size in residual blocks; false: as conv_resample and upsample say.'),
  use_new_attention_order: flag()
    .default(false)
    .describe(
      'How q, k and v lie in the channels of qkv: all q, all k, all v; false: those of a head together.',
    ),
});

/** A graph file with `adm`. */
export const admFile = familyFile(
  'adm',
  adm.describe("The keyword arguments of guided-diffusion's UNetModel."),
);

/** The same with its defaults filled in. */
export type AdmFile = Readonly<z.output<typeof admFile>>;

/** The keywords that decide what a model is made of. */
export const ADM_SHAPES = {
  ...UNET_SHAPES,
  blocks: [...UNET_SHAPES.blocks, 'resblock_updown'],
  widths: [...UNET_SHAPES.widths, 'resblock_updown'],
} as const;
