// Group normalisation: (x - mean) / sqrt(variance + eps) · weight[c] + bias[c], mean and biased variance of each
// sample over the positions and channels of a group. Wu and He 2018, arXiv:1803.08494.

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { activation, demand, demandShape, ternary } from './operands.ts';

export const group_norm: OpDef<'group_norm'> = {
  infer(inputs, { groups, eps }) {
    const [x, weight, bias] = ternary('group_norm', inputs);
    const { channels } = activation('group_norm', 'x', x);
    demandShape('group_norm', 'weight', weight, [channels]);
    demandShape('group_norm', 'bias', bias, [channels]);
    demand(
      Number.isInteger(groups) && groups >= 1 && channels % groups === 0,
      'group_norm',
      () => `${channels} channels do not divide into ${groups} groups`,
    );
    demand(eps > 0, 'group_norm', () => `eps must be above 0, got ${eps}`);
    return x;
  },
  macs: () => NO_MACS,
  // Mean 1, variance 3, normalisation and affine 4 an element.
  flops: (inputs) => 8 * sizeOf(ternary('group_norm', inputs)[0].shape),
  reference(inputs, { groups, eps }) {
    const [x, weight, bias] = ternary('group_norm', inputs);
    const [batch, channels] = [x.shape[0]!, x.shape[1]!];
    const perGroup = x.data.length / (batch * groups);
    const positions = x.data.length / (batch * channels);
    const y = new Float64Array(x.data.length);
    for (let start = 0; start < x.data.length; start += perGroup) {
      let sum = 0;
      for (let i = start; i < start + perGroup; i++) sum += x.data[i]!;
      const mean = sum / perGroup;
      let squares = 0;
      for (let i = start; i < start + perGroup; i++) squares += (x.data[i]! - mean) ** 2;
      const reciprocal = 1 / Math.sqrt(squares / perGroup + eps);
      for (let i = start; i < start + perGroup; i++) {
        const c = Math.floor(i / positions) % channels;
        y[i] = (x.data[i]! - mean) * reciprocal * weight.data[c]! + bias.data[c]!;
      }
    }
    return { shape: x.shape, data: y };
  },
};
