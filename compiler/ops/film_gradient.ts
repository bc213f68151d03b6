// The gradient of `film` by its activation: y[b, c, p] = g[b, c, p] · (1 + e[b, c]).

import { film } from './film.ts';
import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { binary } from './operands.ts';

export const film_gradient: OpDef<'film_gradient'> = {
  infer: film.infer,
  macs: () => NO_MACS,
  flops: (inputs) => 2 * sizeOf(binary('film_gradient', inputs)[0].shape),
  reference(inputs) {
    const [g, e] = binary('film_gradient', inputs);
    const [batch, channels] = [g.shape[0]!, g.shape[1]!];
    const positions = g.data.length / (batch * channels);
    const data = g.data.map((value, i) => {
      const row = Math.floor(i / positions);
      return value * (1 + e.data[row + Math.floor(row / channels) * channels]!);
    });
    return { shape: g.shape, data };
  },
};
