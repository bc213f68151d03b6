// Sums over samples and positions: what gradients by biases, by tables of positions, and by scale and shift of channels
// come to. They are float32, whatever they are of: they end in gradients of parameters.

import { group_norm } from './group_norm.ts';
import { NO_MACS, type OpDef, type RefTensor, sizeOf } from './op.ts';
import { activation, binary, demand, demandFloat, demandShape, formatType, unary } from './operands.ts';

/** Channels of a value, and the positions of each. */
function extent({ shape }: { readonly shape: readonly number[] }) {
  const [batch, channels, ...space] = shape;
  return { batch: batch!, channels: channels!, positions: sizeOf(space) };
}

/** y[c] = Σ_{b, p} x[b, c, p]. */
export const channel_sum: OpDef<'channel_sum'> = {
  infer(inputs) {
    const [x] = unary('channel_sum', inputs);
    demandFloat('channel_sum', 'x', x);
    demand(x.shape.length >= 2, 'channel_sum', () => `x must have channels, got ${formatType(x)}`);
    return { dtype: 'f32', shape: [x.shape[1]!] };
  },
  macs: () => NO_MACS,
  flops: (inputs) => sizeOf(unary('channel_sum', inputs)[0].shape),
  reference(inputs) {
    const [x] = unary('channel_sum', inputs);
    const { channels, positions } = extent(x);
    const data = new Float64Array(channels);
    x.data.forEach((value, i) => {
      const c = Math.floor(i / positions) % channels;
      data[c] = data[c]! + value;
    });
    return { shape: [channels], data };
  },
};

/** y[c, t] = Σ_b x[b, c, t]. */
export const batch_sum: OpDef<'batch_sum'> = {
  infer(inputs) {
    const [x] = unary('batch_sum', inputs);
    const { channels, space } = activation('batch_sum', 'x', x);
    return { dtype: 'f32', shape: [channels, ...space] };
  },
  macs: () => NO_MACS,
  flops: (inputs) => sizeOf(unary('batch_sum', inputs)[0].shape),
  reference(inputs) {
    const [x] = unary('batch_sum', inputs);
    const shape = x.shape.slice(1);
    const data = new Float64Array(sizeOf(shape));
    x.data.forEach((value, i) => {
      const at = i % data.length;
      data[at] = data[at]! + value;
    });
    return { shape, data };
  },
};

/** [B, 2C]: y[b, c] = Σ_p g[b, c, p] · x[b, c, p], y[b, C + c] = Σ_p g[b, c, p]. */
export const scale_shift_gradient: OpDef<'scale_shift_gradient'> = {
  infer(inputs) {
    const [x, g] = binary('scale_shift_gradient', inputs);
    const { batch, channels } = activation('scale_shift_gradient', 'x', x);
    demandShape('scale_shift_gradient', 'g', g, x.shape);
    return { dtype: 'f32', shape: [batch, 2 * channels] };
  },
  macs: () => NO_MACS,
  flops: (inputs) => 3 * sizeOf(binary('scale_shift_gradient', inputs)[0].shape),
  reference: (inputs) => productSums(...binary('scale_shift_gradient', inputs)),
};

/** The same with x normalised, as `group_norm` does it before it scales and shifts. */
export const group_norm_sums: OpDef<'group_norm_sums'> = {
  infer(inputs, attrs) {
    const [x, g] = binary('group_norm_sums', inputs);
    const weight = { dtype: 'f32', shape: [x.shape[1]!] } as const;
    group_norm.infer([x, weight, weight], attrs);
    return scale_shift_gradient.infer([x, g], {});
  },
  macs: () => NO_MACS,
  // Mean 1, variance 3, x̂ 2, the sums 3 an element.
  flops: (inputs) => 9 * sizeOf(binary('group_norm_sums', inputs)[0].shape),
  reference(inputs, attrs) {
    const [x, g] = binary('group_norm_sums', inputs);
    const channels = x.shape[1]!;
    const one = { shape: [channels], data: new Float64Array(channels).fill(1) };
    const zero = { shape: [channels], data: new Float64Array(channels) };
    return productSums(group_norm.reference([x, one, zero], attrs), g);
  },
};

function productSums(x: RefTensor, g: RefTensor): RefTensor {
  const { batch, channels, positions } = extent(x);
  const data = new Float64Array(batch * 2 * channels);
  g.data.forEach((value, i) => {
    const row = Math.floor(i / positions);
    const at = row + Math.floor(row / channels) * channels;
    data[at] = data[at]! + value * x.data[i]!;
    data[at + channels] = data[at + channels]! + value;
  });
  return { shape: [batch, 2 * channels], data };
}
