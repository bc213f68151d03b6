// The residual block: GroupNorm, SiLU, conv; time embedding; GroupNorm, SiLU, dropout, conv; skip. Takes the time
// embedding, by FiLM or by addition. One that halves or doubles the size does so in front of its first convolution and
// on its skip. Source: improved-diffusion and guided-diffusion, unet.py (ResBlock); diffusers, resnet.py (ResnetBlock2D);
// Perez et al. 2018, arXiv:1709.07871.

import { z } from 'zod';
import { dropout } from '../format/common.ts';
import { choice, layerChannels, strict } from '../format/fields.ts';
import { activation } from './activation.ts';
import { divided, divisor, divisorFact } from './divisor.ts';
import { cube, type LayerDef, plain } from './layer.ts';
import { norm, normFact } from './norm.ts';
import { affine, convolution } from './part.ts';
import { resampleFactors } from './resample.ts';
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
  resample: choice(['none', 'down', 'up'])
    .default('none')
    .describe(
      'What happens to the size in front of the first convolution and on the skip. down: mean of two neighbours in each dimension. up: nearest.',
    ),
  activation,
  divisor,
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
  levels: ({ resample }) => (({ none: 0, down: 1, up: -1 }) as const)[resample],
  size: ({ resample }, n) => ({ none: n, down: Math.floor(n / 2), up: n * 2 })[resample],
  norms: ({ norm }) => [
    { field: 'in_channels', norm },
    { field: 'out_channels', norm },
  ],
  faults({ in_channels, out_channels, skip }) {
    const near = Math.ceil(out_channels / 4) * 4;
    const uneven = {
      code: 'G025' as const,
      field: 'out_channels' as const,
      message: `a residual block takes its time embedding four channels at a time, and ${out_channels} are no multiple of four; use ${near > 4 ? `${near - 4} or ${near}` : near}`,
    };
    const changed = {
      code: 'G017' as const,
      field: 'skip' as const,
      message: `an identity cannot turn ${in_channels} channels into ${out_channels}; use "conv1x1" or "conv3x3"`,
    };
    return [
      ...(out_channels % 4 === 0 ? [] : [uneven]),
      ...(skip === 'identity' && in_channels !== out_channels ? [changed] : []),
    ];
  },
  inert: ({ skip, resample, divisor }) => skip === 'identity' && resample === 'none' && divisor === 1,
  facts: {
    conditioning: { changes: 'meaning', rule: 'conditioning', told: true, print: String },
    dropout: { changes: 'training', rule: 'dropout', print: (p) => (p > 0 ? `dropout ${p}` : '') },
    skip: { changes: 'shapes', rule: 'skip' },
    norm: normFact,
    resample: { changes: 'meaning', rule: 'resampling', told: 'by place' },
    activation: { changes: 'meaning' },
    divisor: divisorFact,
  },
  role: ({ resample }) => (resample === 'none' ? 'res' : resample),
  label({ in_channels, out_channels, resample }) {
    const channels = in_channels === out_channels ? `${out_channels}` : `${in_channels} → ${out_channels}`;
    return `${{ none: '', down: '↓ ', up: '↑ ' }[resample]}res ${channels}`;
  },
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
  const act = layer.activation;
  // before the other branch, so that its convolution is ready to be summed into the last one
  const resized = resampled(layer, at, x);
  const skip = layer.skip === 'identity' ? resized : at.convolution('skip', resized);
  let h = b.add(act, [at.norm('norm1', x, layer.norm)], {}, at.path('silu1'));
  h = at.convolution('conv1', resampled(layer, at, h));

  const activated = b.add(act, [at.embedding()], {}, at.path('time_silu'));
  const projected = at.linear('time', activated);
  if (layer.conditioning === 'film') {
    h = at.norm('norm2', h, layer.norm);
    h = b.add('film', [h, projected], {}, at.path('norm2'));
  } else {
    h = b.add('channel_add', [h, projected], {}, at.path('time'));
    h = at.norm('norm2', h, layer.norm);
  }
  h = b.add(act, [h], {}, at.path('silu2'));
  h = b.add('dropout', [h], { p: layer.dropout }, at.path('dropout'));
  return divided(b, b.add('add', [skip, at.convolution('conv2', h)], {}, at.path()), layer, at.path());
}

/** A value at the size that the block gives. */
function resampled({ resample }: ResBlockLayer, at: Scope<Part>, x: number): number {
  const factor = resampleFactors(at.dims);
  switch (resample) {
    case 'none':
      return x;
    case 'down':
      return at.b.add('avg_pool', [x], { kernel: factor }, at.path());
    case 'up':
      return at.b.add('upsample_nearest', [x], { factor }, at.path());
  }
}
