// Adds a vector per sample to every position: y[b, c, p] = x[b, c, p] + e[b, c].

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { activation, binary, demandShape } from './operands.ts';

export const channel_add: OpDef<'channel_add'> = {
  infer(inputs) {
    const [x, e] = binary('channel_add', inputs);
    const { batch, channels } = activation('channel_add', 'x', x);
    demandShape('channel_add', 'e', e, [batch, channels]);
    return x;
  },
  macs: () => NO_MACS,
  flops: (inputs) => sizeOf(binary('channel_add', inputs)[0].shape),
  reference(inputs) {
    const [x, e] = binary('channel_add', inputs);
    const positions = x.data.length / e.data.length;
    const data = new Float64Array(x.data.length);
    for (let i = 0; i < data.length; i++) data[i] = x.data[i]! + e.data[Math.floor(i / positions)]!;
    return { shape: x.shape, data };
  },
};
