// The time embedding: sinusoids, linear, SiLU, linear. Source: improved-diffusion, nn.py (timestep_embedding) and unet.py;
// diffusers, embeddings.py (get_timestep_embedding, TimestepEmbedding).

import { z } from 'zod';
import { choice, LIMITS, layerChannels, strict } from '../format/fields.ts';
import type { ModuleDef } from './layer.ts';
import { affine } from './part.ts';

/** What improved-diffusion has. */
const USUAL = { order: 'cos_sin', shift: 0 } as const;

const shifts = 'a number below half of the channels';

/** The key `time_embed` of the explicit form. */
export const timeEmbedSchema = strict({
  channels: layerChannels('Width of the sinusoidal embedding.'),
  hidden: layerChannels('Width of the MLP behind it, which the residual blocks read.'),
  order: choice(['cos_sin', 'sin_cos'])
    .default(USUAL.order)
    .describe('Which half of the embedding comes first: the cosines or the sines.'),
  shift: z
    .number(shifts)
    .gte(-LIMITS.channels, shifts)
    .lte(LIMITS.channels, shifts)
    .default(USUAL.shift)
    .describe(
      'The frequencies are max_period^(-i / (h - shift)) for i = 0 … h - 1, h being half of the channels.',
    ),
}).describe('The time embedding.');

export type TimeEmbed = Readonly<z.output<typeof timeEmbedSchema>>;

/** The time embedding of improved-diffusion for a width of the model. */
export function usualTimeEmbed(model_channels: number): TimeEmbed {
  return { channels: model_channels, hidden: 4 * model_channels, ...USUAL };
}

export const time_embed = {
  parameters: ({ channels, hidden }) => [
    ...affine('linear1', [hidden, channels]),
    ...affine('linear2', [hidden, hidden]),
  ],
  /** `x` are the timesteps [B]; the result is [B, hidden]. */
  lower({ channels, order, shift }, at, x) {
    const attrs = { dim: channels, max_period: 10000, order, shift };
    let e = at.b.add('timestep_embedding', [x], attrs, at.path());
    e = at.linear('linear1', e);
    e = at.b.add('silu', [e], {}, at.path('silu'));
    return at.linear('linear2', e);
  },
  facts: {
    order: { changes: 'meaning', print: (order) => (order === USUAL.order ? '' : `order ${order}`) },
    shift: { changes: 'meaning', print: (shift) => (shift === USUAL.shift ? '' : `shift ${shift}`) },
  },
} as const satisfies ModuleDef<TimeEmbed, 'linear1' | 'silu' | 'linear2'>;

/** The time embedding as a file of the explicit form has it: without what is as in improved-diffusion. */
export function writtenTimeEmbed({
  channels,
  hidden,
  order,
  shift,
}: TimeEmbed): z.input<typeof timeEmbedSchema> {
  return {
    channels,
    hidden,
    ...(order === USUAL.order ? {} : { order }),
    ...(shift === USUAL.shift ? {} : { shift }),
  };
}
