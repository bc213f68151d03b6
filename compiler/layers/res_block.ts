// The residual block: GroupNorm, SiLU, conv; time embedding; GroupNorm, SiLU, dropout, conv; skip. Takes the time
// embedding, by FiLM or by addition. Source: improved-diffusion, unet.py (ResBlock); Perez et al. 2018, arXiv:1709.07871.

import { z } from 'zod';
import { dropout } from '../format/common.ts';
import { choice, layerChannels, strict } from '../format/fields.ts';
import { cube, type LayerDef, plain } from './layer.ts';
import { norm, normFact } from './norm.ts';
import { affine, convolution } from './part.ts';
import type { Scope } from './scope.ts';

const fields = {
  type: z.literal('res_block'),
  in_channels: layerChannels('Channels that arrive; in an output block the skip connection counts.'),
  out_channels: layerChannels('Channels that leave.'),
  conditioning: choice(['film', 'additive'])
    .default('additive')
    .describe('How the time embedding enters: norm(h)·(1 + scale) + shift, or added to h.'),
  dropout,
  skip: choice(['identity', 'conv1x1', 'conv3x3'])
    .optional()
    .describe('The skip path. Default: identity where the channels stay, else conv1x1.'),
  norm,
};
const schema = strict(fields)
  .describe('The residual block; it takes the time embedding.')
  .transform((written) => ({
    ...written,
    skip: written.skip ?? (written.in_channels === written.out_channels ? 'identity' : 'conv1x1'),
  }));

export type ResBlockLayer = Readonly<z.output<typeof schema>>;

type Part =
  | 'norm1'
  | 'silu1'
  | 'conv1'
  | 'time_silu'
  | 'time'
  | 'norm2'
  | 'silu2'
  | 'dropout'
  | 'conv2'
  | 'skip';

export const res_block = {
  ...plain,
  fields,
  schema,
  spelled: ['type', 'in_channels', 'out_channels', 'conditioning', 'dropout', 'skip'],
  channels: { in: 'in_channels', out: 'out_channels' },
  parameters: ({ in_channels, out_channels, conditioning, skip }, { dims, hidden }) => [
    ...affine('norm1', [in_channels]),
    ...convolution('conv1', in_channels, out_channels, cube(3, dims)),
    ...affine('time', [(conditioning === 'film' ? 2 : 1) * out_channels, hidden]),
    ...affine('norm2', [out_channels]),
    ...convolution('conv2', out_channels, out_channels, cube(3, dims)),
    ...(skip === 'identity'
      ? []
      : convolution('skip', in_channels, out_channels, cube(skip === 'conv1x1' ? 1 : 3, dims))),
  ],
  lower,
  norms: ({ norm }) => [
    { field: 'in_channels', norm },
    { field: 'out_channels', norm },
  ],
  faults({ in_channels, out_channels, skip }) {
    if (skip !== 'identity' || in_channels === out_channels) return [];
    const message = `an identity cannot turn ${in_channels} channels into ${out_channels}; use "conv1x1" or "conv3x3"`;
    return [{ code: 'G017', field: 'skip', message }];
  },
  inert: ({ skip }) => skip === 'identity',
  facts: {
    conditioning: { changes: 'meaning', rule: 'conditioning', told: true, print: String },
    dropout: { changes: 'training', rule: 'dropout', print: (p) => (p > 0 ? `dropout ${p}` : '') },
    skip: { changes: 'shapes', rule: 'skip' },
    norm: normFact,
  },
  role: () => 'res',
  label: ({ in_channels, out_channels }) =>
    in_channels === out_channels ? `res ${out_channels}` : `res ${in_channels} → ${out_channels}`,
  read(shapeOf) {
    const weight = shapeOf('conv1', 'weight');
    if (!weight) return null;
    const [out_channels = 0, in_channels = 0] = weight;
    const skip = shapeOf('skip', 'weight');
    return {
      type: 'res_block',
      in_channels,
      out_channels,
      conditioning: shapeOf('time', 'weight')?.[0] === 2 * out_channels ? 'film' : 'additive',
      skip: skip === undefined ? 'identity' : skip.at(-1) === 3 ? 'conv3x3' : 'conv1x1',
    };
  },
} as const satisfies LayerDef<ResBlockLayer, Part, z.input<typeof schema>>;

function lower(layer: ResBlockLayer, at: Scope<Part>, x: number): number {
  const { b } = at;
  // before the other branch, so that its convolution is ready to be summed into the last one
  const skip = layer.skip === 'identity' ? x : at.convolution('skip', x);
  let h = b.add('silu', [at.norm('norm1', x, layer.norm)], {}, at.path('silu1'));
  h = at.convolution('conv1', h);

  const activated = b.add('silu', [at.embedding()], {}, at.path('time_silu'));
  const projected = at.linear('time', activated);
  if (layer.conditioning === 'film') {
    h = at.norm('norm2', h, layer.norm);
    h = b.add('film', [h, projected], {}, at.path('norm2'));
  } else {
    h = b.add('channel_add', [h, projected], {}, at.path('time'));
    h = at.norm('norm2', h, layer.norm);
  }
  h = b.add('silu', [h], {}, at.path('silu2'));
  h = b.add('dropout', [h], { p: layer.dropout }, at.path('dropout'));
  return b.add('add', [skip, at.convolution('conv2', h)], {}, at.path());
}
