// A sum of two images with factors of each sample: y[b] = c[b, first] · a[b] + c[b, second] · d[b]. The noisy image of a
// diffusion process, the mean of its posterior and its velocity are such sums; which column of c is which factor says
// `LOSS_COEFFICIENTS` of the bundle.

import { NO_MACS, type OpDef, sizeOf } from './op.ts';
import { activation, demand, demandShape, formatType, ternary } from './operands.ts';

export const mix: OpDef<'mix'> = {
  infer(inputs, { first, second }) {
    const [a, d, c] = ternary('mix', inputs);
    const { batch } = activation('mix', 'a', a);
    demandShape('mix', 'd', d, a.shape);
    const columns = c.shape[1] ?? 0;
    demand(
      c.shape.length === 2 && c.shape[0] === batch && [first, second].every((i) => i >= 0 && i < columns),
      'mix',
      () => `columns ${first} and ${second} are not in c ${formatType(c)} of ${batch} samples`,
    );
    return a;
  },
  macs: () => NO_MACS,
  flops: (inputs) => 3 * sizeOf(ternary('mix', inputs)[0].shape),
  reference(inputs, { first, second }) {
    const [a, d, c] = ternary('mix', inputs);
    const [batch, columns] = [c.shape[0]!, c.shape[1]!];
    const each = a.data.length / batch;
    const data = a.data.map((value, i) => {
      const row = Math.floor(i / each) * columns;
      return c.data[row + first]! * value + c.data[row + second]! * d.data[i]!;
    });
    return { shape: a.shape, data };
  },
};
