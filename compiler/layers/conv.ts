// A convolution that keeps the size: kernel^dims, padding (kernel - 1) / 2.

import { z } from 'zod';
import { layerChannels, strict } from '../format/fields.ts';
import { cube, type LayerDef, plain } from './layer.ts';
import { convolution } from './part.ts';

const fields = {
  type: z.literal('conv'),
  in_channels: layerChannels('Channels that arrive.'),
  out_channels: layerChannels('Channels that leave.'),
  kernel: z
    .union([z.literal(1), z.literal(3)], '1 or 3')
    .default(3)
    .describe('Kernel size in every dimension.'),
};
const schema = strict(fields).describe('A convolution that keeps the size.');

export type ConvLayer = Readonly<z.output<typeof schema>>;

export const conv = {
  ...plain,
  fields,
  schema,
  spelled: ['type', 'in_channels', 'out_channels', 'kernel'],
  channels: { in: 'in_channels', out: 'out_channels' },
  parameters: ({ in_channels, out_channels, kernel }, { dims }) =>
    convolution('conv', in_channels, out_channels, cube(kernel, dims)),
  lower: (_layer, at, x) => at.convolution('conv', x),
  facts: { kernel: { changes: 'shapes', rule: 'kernel' } },
  role: () => 'conv',
  label: ({ in_channels, out_channels }) => `conv ${in_channels} → ${out_channels}`,
  read(shapeOf) {
    const weight = shapeOf('conv', 'weight');
    if (!weight) return null;
    const [out_channels = 0, in_channels = 0] = weight;
    return { type: 'conv', in_channels, out_channels, kernel: weight.at(-1) === 1 ? 1 : 3 };
  },
} as const satisfies LayerDef<ConvLayer, 'conv', z.input<typeof schema>>;
