// Adds a table over channels and positions to every sample: y[b, c, t] = x[b, c, t] + p[c, t]. A positional embedding,
// as in guided-diffusion's AttentionPool2d (Radford et al. 2021, arXiv:2103.00020).

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { activation, binary, demandShape } from './operands.ts';

export const position_add: OpDef<'position_add'> = {
  infer(inputs) {
    const [x, p] = binary('position_add', inputs);
    const { channels, space } = activation('position_add', 'x', x);
    demandShape('position_add', 'p', p, [channels, ...space]);
    return x;
  },
  macs: () => NO_MACS,
  flops: (inputs) => sizeOf(binary('position_add', inputs)[0].shape),
  reference(inputs) {
    const [x, p] = binary('position_add', inputs);
    return { shape: x.shape, data: x.data.map((value, i) => value + p.data[i % p.data.length]!) };
  },
};
