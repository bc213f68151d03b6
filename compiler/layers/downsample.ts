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
    .describe('conv: kernel 3, stride 2. avg_pool: mean of two neighbours in each dimension.'),
  padding: choice(['both', 'end'])
    .default('both')
    .describe('Where a convolution pads with zeros: one on both sides, or one behind the last pixel alone.'),
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
    const padding = layer.padding === 'both' ? undefined : [...factor.map(atBegin), ...factor.map(atEnd)];
    return layer.method === 'conv'
      ? at.convolution('conv', x, { stride: factor, padding })
      : at.b.add('avg_pool', [x], { kernel: factor }, at.path());
  },
  levels: () => 1,
  // a convolution that is padded on both sides rounds up, the others down
  size: ({ method, padding }, n) =>
    method === 'conv' && padding === 'both' ? Math.ceil(n / 2) : Math.floor(n / 2),
  facts: {
    method: { changes: 'meaning', rule: 'resampling', told: true, print: String },
    padding: { changes: 'meaning', rule: 'resampling' },
  },
  role: () => 'down',
  label: ({ channels, method }) => `↓ ${method === 'conv' ? 'conv' : 'pool'} ${channels}`,
  read(shapeOf) {
    const weight = shapeOf('conv', 'weight');
    return weight ? { type: 'downsample', channels: weight[0] ?? 0, method: 'conv' } : null;
  },
} as const satisfies LayerDef<DownsampleLayer, 'conv', z.input<typeof schema>>;

/** Zeros in front of a dimension that is divided by `factor` and padded at its end alone; one that is kept has a kernel of 3. */
function atBegin(factor: number): number {
  return factor === 1 ? 1 : 0;
}

/** Zeros behind it. */
function atEnd(): number {
  return 1;
}
