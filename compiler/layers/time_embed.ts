// The time embedding: sinusoids, linear, SiLU, linear. Source: improved-diffusion, nn.py (timestep_embedding) and unet.py.

import type { z } from 'zod';
import { layerChannels, strict } from '../format/fields.ts';
import type { ModuleDef } from './layer.ts';
import { affine } from './part.ts';

/** The key `time_embed` of the explicit form. */
export const timeEmbedSchema = strict({
  channels: layerChannels('Width of the sinusoidal embedding.'),
  hidden: layerChannels('Width of the MLP behind it, which the residual blocks read.'),
}).describe('The time embedding.');

export type TimeEmbed = Readonly<z.output<typeof timeEmbedSchema>>;

export const time_embed = {
  parameters: ({ channels, hidden }) => [
    ...affine('linear1', [hidden, channels]),
    ...affine('linear2', [hidden, hidden]),
  ],
  /** `x` are the timesteps [B]; the result is [B, hidden]. */
  lower({ channels }, at, x) {
    let e = at.b.add('timestep_embedding', [x], { dim: channels, max_period: 10000 }, at.path());
    e = at.linear('linear1', e);
    e = at.b.add('silu', [e], {}, at.path('silu'));
    return at.linear('linear2', e);
  },
  facts: {},
} as const satisfies ModuleDef<TimeEmbed, 'linear1' | 'silu' | 'linear2'>;
