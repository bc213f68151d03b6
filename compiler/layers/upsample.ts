// Doubles the resampled dimensions (in 3D height and width alone).

import { z } from 'zod';
import { choice, layerChannels, strict } from '../format/fields.ts';
import { cube, type LayerDef, plain } from './layer.ts';
import { affine, convolution } from './part.ts';
import { resampleFactors } from './resample.ts';

const fields = {
  type: z.literal('upsample'),
  channels: layerChannels('Channels that arrive and leave.'),
  method: choice(['nearest_conv', 'nearest', 'conv_transpose'])
    .default('nearest_conv')
    .describe(
      'Repeat and convolve, repeat alone, or a transposed convolution (kernel 4, stride 2, padding 1).',
    ),
};
const schema = strict(fields).describe('Doubles the size (in 3D height and width alone).');

export type UpsampleLayer = Readonly<z.output<typeof schema>>;

export const upsample = {
  ...plain,
  fields,
  schema,
  spelled: ['type', 'channels', 'method'],
  channels: { in: 'channels', out: 'channels' },
  parameters({ channels, method }, { dims }) {
    switch (method) {
      case 'nearest':
        return [];
      case 'nearest_conv':
        return convolution('conv', channels, channels, cube(3, dims));
      case 'conv_transpose':
        // a dimension that is not resampled has a kernel of 3; the bias is as long as either of the first axes
        return affine('conv', [channels, channels, ...resampleFactors(dims).map((f) => (f === 2 ? 4 : 3))]);
    }
  },
  lower({ method }, at, x) {
    const factor = resampleFactors(at.dims);
    if (method === 'conv_transpose') {
      const operands = [x, at.param('conv', 'weight'), at.param('conv', 'bias')];
      const attrs = { stride: factor, padding: factor.map(() => 1), output_padding: factor.map(() => 0) };
      return at.b.add('conv_transpose', operands, attrs, at.path('conv'));
    }
    const up = at.b.add('upsample_nearest', [x], { factor }, at.path());
    return method === 'nearest' ? up : at.convolution('conv', up);
  },
  levels: () => -1,
  size: (_layer, n) => n * 2,
  facts: { method: { changes: 'meaning', rule: 'resampling', told: true, print: String } },
  role: () => 'up',
  label: ({ method }) => ({ nearest_conv: '↑ conv', nearest: '↑', conv_transpose: '↑ transposed' })[method],
  read(shapeOf) {
    const weight = shapeOf('conv', 'weight');
    if (!weight) return null;
    const method = weight.at(-1) === 4 ? 'conv_transpose' : 'nearest_conv';
    return { type: 'upsample', channels: weight[0] ?? 0, method };
  },
} as const satisfies LayerDef<UpsampleLayer, 'conv', z.input<typeof schema>>;
