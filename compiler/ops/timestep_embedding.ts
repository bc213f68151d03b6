// Sinusoidal embedding of timesteps: y[b] = (cos(t_b · f_0), …, cos(t_b · f_h-1), sin(t_b · f_0), …), h = dim / 2,
// f_i = max_period^(-i / (h - shift)); with the order sin_cos the sines come first. An odd last column is zero.
// Vaswani et al. 2017, arXiv:1706.03762. improved-diffusion's timestep_embedding has the order cos_sin and shift 0; others
// are those of diffusers' get_timestep_embedding.
// Frequencies and angles are rounded to float32 where the original rounds them: models were trained on these angles,
// and at a late step of a sampler the difference to exact ones shows.

import { NO_MACS, type OpAttrs, type OpDef } from './op.ts';
import { demand, demandFloat, formatType, unary } from './operands.ts';

/** The h = floor(dim / 2) angular frequencies, from 1 down towards 1 / max_period, in steps of float32. */
export function timestepFrequencies({ dim, max_period, shift }: OpAttrs['timestep_embedding']): Float64Array {
  const half = Math.floor(dim / 2);
  const rate = Math.fround(-Math.log(max_period));
  return Float64Array.from({ length: half }, (_, i) =>
    Math.fround(Math.exp(Math.fround(Math.fround(rate * i) / (half - shift)))),
  );
}

export const timestep_embedding: OpDef<'timestep_embedding'> = {
  infer(inputs, { dim, max_period, order, shift }) {
    const [t] = unary('timestep_embedding', inputs);
    demandFloat('timestep_embedding', 'timesteps', t);
    demand(
      t.shape.length === 1,
      'timestep_embedding',
      () => `timesteps must be [batch], got ${formatType(t)}`,
    );
    demand(
      Number.isInteger(dim) && dim >= 1 && max_period > 0,
      'timestep_embedding',
      () => `dim ${dim} must be a whole number of at least 1 and max_period ${max_period} above 0`,
    );
    demand(
      ['cos_sin', 'sin_cos'].includes(order) && shift < Math.max(1, Math.floor(dim / 2)),
      'timestep_embedding',
      () => `order ${order} must be cos_sin or sin_cos, and shift ${shift} below half of dim ${dim}`,
    );
    return { dtype: t.dtype, shape: [t.shape[0]!, dim] };
  },
  macs: () => NO_MACS,
  flops: (inputs, { dim }) => 2 * dim * unary('timestep_embedding', inputs)[0].shape[0]!,
  reference(inputs, attrs) {
    const { dim, order } = attrs;
    const [t] = unary('timestep_embedding', inputs);
    const frequencies = timestepFrequencies(attrs);
    const half = frequencies.length;
    const [cosines, sines] = order === 'cos_sin' ? [0, half] : [half, 0];
    const data = new Float64Array(t.data.length * dim);
    for (let b = 0; b < t.data.length; b++) {
      for (let i = 0; i < half; i++) {
        const angle = Math.fround(t.data[b]! * frequencies[i]!);
        data[b * dim + cosines + i] = Math.fround(Math.cos(angle));
        data[b * dim + sines + i] = Math.fround(Math.sin(angle));
      }
    }
    return { shape: [t.data.length, dim], data };
  },
};
