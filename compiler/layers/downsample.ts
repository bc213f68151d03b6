// Halves the resampled dimensions (in 3D height and width alone).

import { z } from 'zod';
import { choice, layerChannels, strict } from '../format/fields.ts';
import { cube, type LayerDef, plain } from './layer.ts';
import { convolution } from './part.ts';
import { resampleFactors } from './resample.ts';

const fields = {
  type: z.literal('downsample'),
  channels: layerChannels('Channels that arrive and leave.'),
  method: choice(['conv', 'avg_pool'])
    .default('conv')
    .describe('conv: kernel 3, stride 2, padding 1. avg_pool: mean of two neighbours in each dimension.'),
};
const schema = strict(fields).describe('Halves the size (in 3D height and width alone).');

export type DownsampleLayer = Readonly<z.output<typeof schema>>;

export const downsample = {
  ...plain,
  fields,
  schema,
  spelled: ['type', 'channels', 'method'],
  channels: { in: 'channels', out: 'channels' },
  parameters: ({ channels, method }, { dims }) =>
    method === 'conv' ? convolution('conv', channels, channels, cube(3, dims)) : [],
  lower(layer, at, x) {
    const factor = resampleFactors(at.dims);
    return layer.method === 'conv'
      ? at.convolution('conv', x, { stride: factor })
      : at.b.add('avg_pool', [x], { kernel: factor }, at.path());
  },
  levels: () => 1,
  // the convolution (kernel 3, stride 2, padding 1) rounds up, pooling down
  size: ({ method }, n) => (method === 'conv' ? Math.ceil(n / 2) : Math.floor(n / 2)),
  facts: { method: { changes: 'meaning', rule: 'resampling', told: true, print: String } },
  role: () => 'down',
  label: ({ channels, method }) => `↓ ${method === 'conv' ? 'conv' : 'pool'} ${channels}`,
  read(shapeOf) {
    const weight = shapeOf('conv', 'weight');
    return weight ? { type: 'downsample', channels: weight[0] ?? 0, method: 'conv' } : null;
  },
} as const satisfies LayerDef<DownsampleLayer, 'conv', z.input<typeof schema>>;
