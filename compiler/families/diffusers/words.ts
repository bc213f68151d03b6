// The words of a UNet2DModel's config.json: which blocks there are, and why others cannot be expressed. Source: diffusers,
// unet_2d_blocks.py (get_down_block, get_up_block), unet_2d.py.

import { z } from 'zod';
import { oneOf } from '../../format/fields.ts';

/** What a block of a level is made of. */
export interface BlockKind {
  readonly attends: boolean;
  /** How it leads to the next level: by a convolution, in a residual block, or as downsample_type and upsample_type say. */
  readonly resampling: 'conv' | 'resnet' | 'said';
}

const PLAIN: BlockKind = { attends: false, resampling: 'conv' };
const ATTENDED: BlockKind = { attends: true, resampling: 'said' };
const RESNET: BlockKind = { attends: false, resampling: 'resnet' };

/** The blocks of both ways by their names, older ones among them. */
export const BLOCKS: Readonly<Record<'down' | 'up', Readonly<Record<string, BlockKind>>>> = {
  down: aliased({ DownBlock2D: PLAIN, AttnDownBlock2D: ATTENDED, ResnetDownsampleBlock2D: RESNET }),
  up: aliased({ UpBlock2D: PLAIN, AttnUpBlock2D: ATTENDED, ResnetUpsampleBlock2D: RESNET }),
};

/** The first versions of diffusers wrote `UNetRes` in front. */
function aliased(blocks: Readonly<Record<string, BlockKind>>): Readonly<Record<string, BlockKind>> {
  const old = Object.entries(blocks).map(([name, kind]) => [`UNetRes${name}`, kind] as const);
  return { ...blocks, ...Object.fromEntries(old) };
}

/** Why a word is refused: by the word itself, or by what it begins with. */
type Refusals = readonly (readonly [word: RegExp, why: string])[];

export const REFUSED = {
  block: [
    [
      /^(UNetRes)?(Attn)?Skip(Down|Up)Block2D$/,
      'it filters with FIR kernels and adds the resized image to every level, which no graph can express',
    ],
    [
      /^(UNetRes)?K(CrossAttn)?(Down|Up)Block2D$/,
      'it computes with group norms conditioned on time and with GELU residuals of k-diffusion, which no graph can express',
    ],
    [
      /CrossAttn/,
      'it attends to a prompt, which no graph can express; models with it are UNet2DConditionModel',
    ],
    [/(Encoder|Decoder)Block2D$/, 'it is a block of autoencoders, which are no denoisers'],
  ],
  time: [
    [
      /^fourier$/,
      'it embeds the logarithm of the timestep by stored random frequencies and divides the output by the timestep, which no graph can express',
    ],
    [/^learned$/, 'it looks timesteps up in a learned table, which no graph can express'],
  ],
  middle: [[/./, 'a UNet2DModel builds UNetMidBlock2D whatever else is written here; write that']],
  resampling: [[/./, 'a UNet2DModel would neither halve nor double the size with it']],
  activation: [[/./, 'no graph has this activation function']],
  conditioning: [
    [
      /^ada_group$/,
      'its norms take scale and shift from the time embedding instead of weights of their own, which no graph can express',
    ],
    [/^spatial$/, 'its norms are conditioned on an image, which no graph can express'],
  ],
  classes: [
    [
      /^timestep$/,
      'it embeds labels as if they were timesteps, which no graph can express; with null they are rows of a table',
    ],
    [
      /^identity$/,
      'it takes embeddings instead of labels, which no graph can express; with null they are rows of a table',
    ],
    [/./, 'no graph has such an embedding of labels'],
  ],
} as const satisfies Readonly<Record<string, Refusals>>;

/** One of the words that a graph can express; for others the message says why not. */
export function known(words: readonly string[], refused: Refusals) {
  const expected = oneOf(words.filter((word) => !word.startsWith('UNetRes')));
  return z.enum(words as [string, ...string[]], { error: ({ input }) => whyNot(input, expected, refused) });
}

/** Nothing but null. */
export function unsaid(refused: Refusals) {
  return z.null({ error: ({ input }) => whyNot(input, 'null', refused) });
}

function whyNot(input: unknown, expected: string, refused: Refusals): string {
  const why = refused.find(([word]) => typeof input === 'string' && word.test(input))?.[1];
  // without quotes, lest a word be proposed for one that was meant as it is
  return why === undefined ? expected : `${expected.replaceAll('"', '')}: ${why}`;
}
