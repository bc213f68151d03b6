// The explicit form: every TimeEmbedSeq block with its layers typed and their channels written out.

import { z } from 'zod';
import { DEFAULT_NAMING, NAMINGS, type NamingName } from '../families/namings.ts';
import { dims, head, in_channels, num_classes, tail } from '../format/common.ts';
import { anyList, choice, flag, integer, LIMITS, list, oneOf, strict } from '../format/fields.ts';
import { LAYERS } from '../layers/index.ts';
import { norm } from '../layers/norm.ts';
import { poolSchema } from '../layers/pool.ts';
import { timeEmbedSchema } from '../layers/time_embed.ts';

type LayerSchema = (typeof LAYERS)[keyof typeof LAYERS]['schema'];

const layers = Object.values(LAYERS).map(({ schema }) => schema) as [LayerSchema, ...LayerSchema[]];

const block = strict({
  layers: list(
    z.discriminatedUnion('type', layers, {
      error: (issue) =>
        issue.code === 'invalid_union' ? oneOf(Object.keys(LAYERS)) : 'a layer: an object with a type',
    }),
    LIMITS.layers,
    'layers',
  ).describe('The layers in order.'),
});

export const explicitFile = strict({
  ...head,
  dims,
  in_channels,
  out_channels: integer(1, LIMITS.classes).describe(
    "Channels of the model's output, twice in_channels where it learns the variance; with a pool, classes.",
  ),
  num_classes,
  time_embed: timeEmbedSchema,
  ...tail,
  blocks: strict({
    input: list(block, LIMITS.blocks, 'blocks').describe('The way down; every block pushes its output.'),
    middle: block.describe('The middle block.'),
    output: anyList(block, LIMITS.blocks, 'blocks').describe(
      'The way up; every block reads its input joined with the output popped. A classifier has none.',
    ),
  }).describe(
    'The TimeEmbedSeq blocks. Behind them stands the head: GroupNorm, SiLU, convolution to out_channels.',
  ),
  pool: poolSchema.optional(),
  center_input: flag()
    .default(false)
    .describe('Whether the model is given images in [0, 1] and moves them to [-1, 1] first.'),
  use_checkpoint: flag()
    .default(false)
    .describe(
      'Gradient checkpointing in training: residual and attention blocks are computed again in the backward pass.',
    ),
  head: strict({ norm }).prefault({}).describe('Options of the head, and of a pool.'),
  naming: choice(Object.keys(NAMINGS) as [NamingName])
    .default(DEFAULT_NAMING)
    .describe('Whose names the parameters have in checkpoints.'),
});

/** A file of the explicit form with its defaults filled in (but `variance`, which depends on the channels). */
export type ExplicitFile = z.output<typeof explicitFile>;

/** A file of the explicit form as it is written. */
export type WrittenExplicit = z.input<typeof explicitFile>;
