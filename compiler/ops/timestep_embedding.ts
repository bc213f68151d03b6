// Sinusoidal embedding of timesteps: y[b] = (cos(t_b · f_0), …, cos(t_b · f_h-1), sin(t_b · f_0), …), h = dim / 2,
// f_i = max_period^(-i / h); an odd last column is zero.
// Vaswani et al. 2017, arXiv:1706.03762, in the order of improved-diffusion's timestep_embedding.
// Frequencies and angles are rounded to float32 where the original rounds them: models were trained on these angles,
// and at a late step of a sampler the difference to exact ones shows.

import { NO_MACS, type OpDef } from './op.ts';
import { demand, demandFloat, formatType, unary } from './operands.ts';

/** The h = floor(dim / 2) angular frequencies, from 1 down towards 1 / max_period, in steps of float32. */
export function timestepFrequencies(dim: number, max_period: number): Float64Array {
  const half = Math.floor(dim / 2);
  const rate = Math.fround(-Math.log(max_period));
  return Float64Array.from({ length: half }, (_, i) =>
    Math.fround(Math.exp(Math.fround(Math.fround(rate * i) / half))),
  );
}

export const timestep_embedding: OpDef<'timestep_embedding'> = {
  infer(inputs, { dim, max_period }) {
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
    return { dtype: t.dtype, shape: [t.shape[0]!, dim] };
  },
  macs: () => NO_MACS,
  flops: (inputs, { dim }) => 2 * dim * unary('timestep_embedding', inputs)[0].shape[0]!,
  reference(inputs, { dim, max_period }) {
    const [t] = unary('timestep_embedding', inputs);
    const frequencies = timestepFrequencies(dim, max_period);
    const half = frequencies.length;
    const data = new Float64Array(t.data.length * dim);
    for (let b = 0; b < t.data.length; b++) {
      for (let i = 0; i < half; i++) {
        const angle = Math.fround(t.data[b]! * frequencies[i]!);
        data[b * dim + i] = Math.fround(Math.cos(angle));
        data[b * dim + half + i] = Math.fround(Math.sin(angle));
      }
    }
    return { shape: [t.data.length, dim], data };
  },
};
